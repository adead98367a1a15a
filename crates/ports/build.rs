//! Lists the service's own migrations.

fn main() -> Result<(), String> {
    exit3_build::migrations("../../migrations".as_ref())
}
