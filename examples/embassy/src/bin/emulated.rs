//! The learner under embassy on an emulated Cortex-M4F, or on a computer, which prints the same line:
//!
//! ```text
//! cargo run --release --bin emulated
//! cargo build --release --bin emulated --target thumbv7em-none-eabihf
//! qemu-system-arm -machine mps2-an386 -cpu cortex-m4 -nographic -semihosting-config enable=on,target=native -kernel ..
//! ```
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    let mut flash = gradus_embassy::simulated::Flash::new();
    let run = pin!(gradus_embassy::simulated::power_cuts(&mut flash));
    match run.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(end)) => println!("{end}"),
        _ => return std::process::ExitCode::FAILURE,
    }
    std::process::ExitCode::SUCCESS
}

#[cfg(target_os = "none")]
mod board {
    use embassy_executor::Spawner;
    use embassy_nrf as _; // the table of interrupts
    use gradus_embassy::simulated::{Flash, power_cuts};
    use semihosting::{println, process};

    #[embassy_executor::main]
    async fn main(_spawner: Spawner) {
        let mut flash = Flash::new();
        match power_cuts(&mut flash).await {
            Ok(end) => println!("{end}"),
            Err(_) => process::exit(1),
        }
        process::exit(0);
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo) -> ! {
        process::exit(101);
    }
}
