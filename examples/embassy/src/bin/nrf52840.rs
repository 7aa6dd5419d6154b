//! The learner on an nRF52840: an analog accelerometer at P0.02, P0.03 and P0.28, two buttons for the class, an LED for the
//! answer, and the last 16 kB of flash for the journal.
//!
//! ```text
//! cargo build --release --target thumbv7em-none-eabihf
//! ```
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {
    println!("this program is for a chip: cargo build --release --target thumbv7em-none-eabihf");
}

#[cfg(target_os = "none")]
mod board {
    use embassy_embedded_hal::adapter::BlockingAsync;
    use embassy_executor::Spawner;
    use embassy_nrf::gpio::{Input, Level, Output, OutputDrive, Pull};
    use embassy_nrf::nvmc::Nvmc;
    use embassy_nrf::saadc::{ChannelConfig, Config, Saadc};
    use embassy_nrf::{bind_interrupts, saadc};
    use embassy_time::Timer;
    use gradus::store::AsyncJournal;
    use gradus_embassy::{AXES, Learner, Sensor, Window, run};

    bind_interrupts!(struct Irqs {
        SAADC => saadc::InterruptHandler;
    });

    /// Pages of 4 kB: two slots of two pages each.
    const FLASH: u32 = 1 << 20;
    const REGION: core::ops::Range<u32> = FLASH - 4 * 4096..FLASH;

    struct Accelerometer<'a> {
        adc: Saadc<'a, AXES>,
        buttons: [Input<'a>; 2],
        led: Output<'a>,
    }

    impl Sensor for Accelerometer<'_> {
        async fn window(&mut self, to: &mut Window) -> Option<u8> {
            for sample in to {
                let mut raw = [0; AXES];
                self.adc.sample(&mut raw).await;
                for (value, raw) in sample.iter_mut().zip(raw) {
                    *value = f32::from(raw) / 2048.0 - 1.0;
                }
                Timer::after_millis(5).await;
            }
            // No button: classify. The first, the second, both: their class.
            match (self.buttons[0].is_low(), self.buttons[1].is_low()) {
                (false, false) => None,
                (true, false) => Some(0),
                (false, true) => Some(1),
                (true, true) => Some(2),
            }
        }

        fn show(&mut self, class: usize) {
            self.led.set_level(if class == 0 { Level::High } else { Level::Low });
        }
    }

    #[embassy_executor::main]
    async fn main(_spawner: Spawner) {
        let p = embassy_nrf::init(Default::default());
        let channels = [
            ChannelConfig::single_ended(p.P0_02),
            ChannelConfig::single_ended(p.P0_03),
            ChannelConfig::single_ended(p.P0_28),
        ];
        let mut sensor = Accelerometer {
            adc: Saadc::new(p.SAADC, Irqs, Config::default(), channels),
            buttons: [Input::new(p.P0_11, Pull::Up), Input::new(p.P0_12, Pull::Up)],
            led: Output::new(p.P0_13, Level::High, OutputDrive::Standard),
        };
        let mut learner = Learner::new();
        // A flash that fails leaves nothing to do; a reset starts from the newest file that is whole.
        if let Ok(mut journal) = AsyncJournal::open(BlockingAsync::new(Nvmc::new(p.NVMC)), REGION).await {
            let _ = run(&mut learner, &mut sensor, &mut journal, 16, u32::MAX).await;
        }
        cortex_m::peripheral::SCB::sys_reset();
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo) -> ! {
        cortex_m::peripheral::SCB::sys_reset();
    }
}
