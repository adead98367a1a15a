//! Asks a question once on behalf of many concurrent callers.

use std::time::Instant;

use exit3_ports::{StoreError, with_causes};
use tokio::sync::Mutex;

/// The last answer to a question, and when it was asked.
pub(super) struct AskedOnce<T>(Mutex<Option<(Instant, Result<T, String>)>>);

impl<T> Default for AskedOnce<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> AskedOnce<T> {
    /// Returns the answer to a question that was asked no earlier than this call. While one
    /// question is in flight all other callers wait, and the next answer serves all of them.
    pub(super) async fn ask(
        &self,
        question: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let wanted = Instant::now();
        let mut last = self.0.lock().await;
        if let Some((asked, answer)) = &*last
            && *asked >= wanted
        {
            return answer.clone().map_err(|why| StoreError::Unavailable(why.into()));
        }
        let asked = Instant::now();
        let answer = question.await;
        let kept = answer.as_ref().map(T::clone).map_err(|error| with_causes(error));
        *last = Some((asked, kept));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn many_callers_ask_at_most_twice_and_get_no_old_answer() {
        let asked = Arc::new(AskedOnce::<u32>::default());
        let (count, go) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let ask = || {
            let (asked, count, go) = (Arc::clone(&asked), Arc::clone(&count), Arc::clone(&go));
            tokio::spawn(async move {
                let question = async {
                    let number = count.fetch_add(1, Ordering::Relaxed);
                    go.notified().await;
                    Ok(number)
                };
                asked.ask(question).await.unwrap()
            })
        };
        let first = ask();
        while count.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let crowd: Vec<_> = (0..100).map(|_| ask()).collect();
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        go.notify_one();
        assert_eq!(first.await.unwrap(), 0);
        go.notify_one();
        for one in crowd {
            assert_eq!(one.await.unwrap(), 1);
        }
        go.notify_one();
        assert_eq!(ask().await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_leaves_the_question_to_the_next() {
        let asked = AskedOnce::<u32>::default();
        let hangs = asked.ask(std::future::pending());
        let soon = std::time::Duration::from_millis(1);
        assert!(tokio::time::timeout(soon, hangs).await.is_err());
        assert_eq!(asked.ask(async { Ok(1) }).await.unwrap(), 1);
    }
}
