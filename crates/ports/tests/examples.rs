//! Every port has an example in its documentation, which runs as a test.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fs;
use std::path::Path;

#[test]
fn every_port_has_an_example() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut ports = 0;
    let files = fs::read_dir(sources).unwrap().map(|file| file.unwrap().path());
    // Below, there are parts of types, and no ports.
    for file in files.filter(|path| path.is_file()) {
        let source = fs::read_to_string(file).unwrap();
        for (before, port) in source.match_indices("\npub trait ") {
            let above = source.get(..before).unwrap().lines().rev();
            let mut docs =
                above.take_while(|line| line.starts_with("///") || line.starts_with("#["));
            let name = source.get(before + port.len()..).unwrap().split(':').next().unwrap();
            assert!(docs.any(|line| line == "/// ```"), "{name} has no example");
            ports += 1;
        }
    }
    assert!(ports > 20);
}
