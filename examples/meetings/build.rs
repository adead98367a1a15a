//! Lists the migrations of the module.

fn main() -> Result<(), String> {
    exit3_build::migrations("migrations".as_ref())
}
