//! Ctrl-C: a trace ends at once and leaves nothing behind, or is finished.

use std::sync::Arc;

use tokio::sync::Mutex;

/// Ends the program with status 130 when somebody presses Ctrl-C. Until [`Interrupt::hold`] nothing has
/// been written or recorded, so that there is nothing to take back.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Mutex<()>>);

impl Interrupt {
    /// Listens from now on.
    pub fn listen() -> Interrupt {
        let interrupt = Interrupt::default();
        let may_end = interrupt.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                let _nothing_is_written = may_end.0.lock().await;
                eprintln!("\ninterrupted: nothing was written or recorded");
                std::process::exit(130);
            }
        });
        interrupt
    }

    /// What is written from now on is written whole: Ctrl-C comes too late.
    pub async fn hold(&self) {
        std::mem::forget(Arc::clone(&self.0).lock_owned().await);
    }
}
