//! Parses Prometheus' text format, as far as the exporter in this process uses it.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>

/// A metric with all its time series.
#[derive(Debug, PartialEq)]
pub(super) struct Family<'a> {
    pub(super) name: &'a str,
    pub(super) kind: &'a str,
    pub(super) samples: Vec<Sample<'a>>,
}

/// One line of a metric.
#[derive(Debug, PartialEq)]
pub(super) struct Sample<'a> {
    /// The name of the metric; the lines of a histogram add a suffix to it.
    pub(super) name: &'a str,
    pub(super) labels: Vec<(&'a str, String)>,
    pub(super) value: f64,
}

/// Parses the metrics in a text. Other lines are skipped.
pub(super) fn families(text: &str) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for line in text.lines() {
        if let Some(about) = line.strip_prefix("# TYPE ") {
            if let Some((name, kind)) = about.split_once(' ') {
                families.push(Family { name, kind, samples: Vec::new() });
            }
        } else if let (false, Some(family)) = (line.starts_with('#'), families.last_mut()) {
            family.samples.extend(sample(line));
        }
    }
    families
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let (name, rest) = line.split_at(line.find(['{', ' '])?);
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    Some(Sample { name, labels, value: value.trim().parse().ok()? })
}

type Labels<'a> = Vec<(&'a str, String)>;

/// Parses labels up to the closing brace; also returns the text after it.
fn labels(mut text: &str) -> Option<(Labels<'_>, &str)> {
    let mut labels = Vec::new();
    loop {
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, rest) = text.split_once("=\"")?;
        let (value, rest) = quoted(rest)?;
        labels.push((name, value));
        text = rest.strip_prefix(',').unwrap_or(rest);
    }
}

/// Parses a value up to its closing quote; also returns the text after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(match characters.next()? {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_output_of_the_exporter() {
        let recorder =
            metrics_exporter_prometheus::PrometheusBuilder::new().set_buckets(&[0.5]).unwrap();
        let recorder = recorder.build_recorder();
        metrics::with_local_recorder(&recorder, || {
            metrics::counter!("a_total", "route" => "/{id}/", "odd" => "a\"b\\c\nd").increment(2);
            metrics::gauge!("b").set(-1.5);
            metrics::histogram!("c_seconds", "of" => "x,y=\"}").record(0.25);
        });
        let text = recorder.handle().render();
        let mut families = families(&text);
        families.sort_by_key(|family| family.name);
        let [a, b, c] = &families[..] else { panic!("{text}") };
        assert_eq!((a.name, a.kind), ("a_total", "counter"));
        let labels = vec![("route", "/{id}/".to_owned()), ("odd", "a\"b\\c\nd".to_owned())];
        assert_eq!(a.samples, [Sample { name: "a_total", labels, value: 2.0 }]);
        assert_eq!(b.samples, [Sample { name: "b", labels: vec![], value: -1.5 }]);
        assert_eq!(c.kind, "histogram");
        let parts: Vec<_> =
            c.samples.iter().map(|it| (it.name, it.labels.last().unwrap(), it.value)).collect();
        let (of, bound) = (("of", "x,y=\"}".to_owned()), |le: &str| ("le", le.to_owned()));
        let expected = [
            ("c_seconds_bucket", &bound("0.5"), 1.0),
            ("c_seconds_bucket", &bound("+Inf"), 1.0),
            ("c_seconds_sum", &of, 0.25),
            ("c_seconds_count", &of, 1.0),
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn skips_lines_that_are_not_metrics() {
        for text in ["a 1", "# TYPE a", "# TYPE a gauge\na", "# TYPE a gauge\na{b=\"c 1", "\n\n"] {
            assert!(families(text).iter().all(|family| family.samples.is_empty()), "{text}");
        }
    }
}
