fn main() -> std::process::ExitCode {
    otori::run()
}
