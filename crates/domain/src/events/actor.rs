use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Who writes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A staff member, by name.
    Staff(Arc<str>),
    /// The holder of an API key.
    ApiKey {
        /// The name of the key.
        name: Arc<str>,
        /// The public part of its token.
        prefix: Arc<str>,
    },
    /// The holder of the key in the settings, `BASIC_API_KEY`.
    BasicKey,
    /// An operator, with this command of the command line.
    Command(Arc<str>),
    /// The service itself.
    Service,
    /// A module, by name.
    Module(Arc<str>),
}

impl Actor {
    /// An operator with this command of the command line.
    pub fn command(name: &str) -> Self {
        Self::Command(name.into())
    }

    /// Reads an actor as it was stored. An unknown word, from a newer release, is taken for a
    /// module of that name.
    pub fn from_words(words: &str) -> Self {
        match words.split_once(':') {
            Some(("staff", name)) => Self::Staff(name.into()),
            // The prefix has no colon.
            Some(("api_key", rest)) => {
                let (name, prefix) = rest.rsplit_once(':').unwrap_or((rest, ""));
                Self::ApiKey { name: name.into(), prefix: prefix.into() }
            }
            Some(("command", name)) => Self::Command(name.into()),
            Some(("module", name)) => Self::Module(name.into()),
            _ if words == "basic_key" => Self::BasicKey,
            _ if words == "service" => Self::Service,
            _ => Self::Module(words.into()),
        }
    }
}

impl fmt::Display for Actor {
    /// Writes the actor as it is stored, such as `staff:ana` or `api_key:website:Zk3v`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Staff(name) => write!(formatter, "staff:{name}"),
            Self::ApiKey { name, prefix } => write!(formatter, "api_key:{name}:{prefix}"),
            Self::BasicKey => formatter.write_str("basic_key"),
            Self::Command(name) => write!(formatter, "command:{name}"),
            Self::Service => formatter.write_str("service"),
            Self::Module(name) => write!(formatter, "module:{name}"),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|words| Self::from_words(&words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_read_as_it_is_written() {
        let text = |text: &str| Arc::from(text);
        for actor in [
            Actor::Staff(text("ana")),
            Actor::Staff(text("a:b")),
            Actor::ApiKey { name: text("website"), prefix: text("Zk3vZk3vZk3v") },
            Actor::BasicKey,
            Actor::command("restore"),
            Actor::Service,
            Actor::Module(text("guests")),
        ] {
            assert_eq!(Actor::from_words(&actor.to_string()), actor, "{actor}");
        }
        assert_eq!(Actor::from_words("robot"), Actor::Module(text("robot")));
    }
}
