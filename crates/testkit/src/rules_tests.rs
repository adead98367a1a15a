use std::collections::HashSet;

/// A rule without a test would check nothing.
#[test]
fn every_rule_is_part_of_the_suite() {
    let (mut suite, mut module) = (HashSet::new(), "");
    let lists = [include_str!("rules.rs"), include_str!("lead_rules.rs")];
    for line in lists.into_iter().flat_map(str::lines) {
        match line.strip_prefix("            ").unwrap_or_default().strip_prefix("    ") {
            Some(rule) => drop(suite.insert((module, rule.trim_end_matches(',')))),
            None => module = line.trim().strip_suffix(" {").unwrap_or(module),
        }
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/contract");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        let module = file.file_stem().unwrap().to_str().unwrap();
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            if let Some(rule) = line.strip_prefix("pub async fn ") {
                let (name, _) = rule.split_once('(').unwrap();
                assert!(suite.contains(&(module, name)), "{module} {{ {name} }} is missing");
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count}");
}
