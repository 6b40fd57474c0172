//! Gives the shared library its name.

/// The number in the name: `NPR_ABI_VERSION`. `tests/abi.rs` sees to it that this, the header, the
/// metadata for cargo-c and the built library agree.
const ABI_VERSION: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let system = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let name = match system.as_str() {
        "linux" | "android" | "freebsd" | "netbsd" | "openbsd" => {
            format!("-Wl,-soname,libnotify_pr.so.{ABI_VERSION}")
        }
        "macos" => format!("-Wl,-install_name,@rpath/libnotify_pr.{ABI_VERSION}.dylib"),
        // A DLL has no name of this kind.
        _ => return,
    };
    println!("cargo:rustc-cdylib-link-arg={name}");
}
