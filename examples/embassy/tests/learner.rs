//! The learner on a computer: it learns, loses its power in the middle of a save, and goes on.

use embedded_storage_async::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use gradus::store::AsyncJournal;
use gradus_embassy::{AXES, Learner, Sensor, Window, run};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Waits for a future that never has to wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// Flash that can be cut off after a number of words.
struct Flash {
    bytes: Vec<u8>,
    words: usize,
}

impl Flash {
    const SIZE: usize = 4 * 4096;
    fn new() -> Self {
        Self { bytes: vec![0xff; Self::SIZE], words: usize::MAX }
    }
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}
impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 4;
    async fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        bytes.copy_from_slice(&self.bytes[at as usize..][..bytes.len()]);
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}
impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;
    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        self.bytes[from as usize..to as usize].fill(0xff);
        Ok(())
    }
    async fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        for (i, word) in bytes.chunks(4).enumerate() {
            self.words = self.words.checked_sub(1).ok_or(NorFlashErrorKind::Other)?;
            self.bytes[at as usize + 4 * i..][..4].copy_from_slice(word);
        }
        Ok(())
    }
}

/// Three vibrations in turn, the class always said.
struct Simulated {
    seed: u32,
    turn: u8,
}

impl Simulated {
    fn noise(&mut self) -> f32 {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.seed >> 8) as f32 / 8_388_608.0 - 1.0
    }
}

impl Sensor for Simulated {
    async fn window(&mut self, to: &mut Window) -> Option<u8> {
        self.turn = (self.turn + 1) % 3;
        let (period, size) = [(40, 0.05), (16, 0.5), (6, 0.4)][usize::from(self.turn)];
        for (i, sample) in to.iter_mut().enumerate() {
            let at = i % period;
            let wave = at.min(period - at) as f32 / (period / 2) as f32 * 2.0 - 1.0;
            *sample = std::array::from_fn::<_, AXES, _>(|axis| {
                size * wave / (axis + 1) as f32 + 0.1 * self.noise()
            });
        }
        Some(self.turn)
    }
    fn show(&mut self, _: usize) {}
}

fn right(learner: &Learner) -> usize {
    let (mut sensor, mut window) = (Simulated { seed: 99, turn: 0 }, [[0.0; AXES]; 64]);
    (0..300)
        .filter(|_| {
            let class = now(sensor.window(&mut window)).unwrap();
            learner.class(&window).unwrap() == usize::from(class)
        })
        .count()
}

#[test]
fn it_learns_and_goes_on_after_any_power_cut() {
    let mut flash = Flash::new();
    let mut sensor = Simulated { seed: 1, turn: 0 };
    let (mut reached, mut cuts) = (0, 0);
    // Every start has power for a few more words of flash than the one before.
    for power in (200..4000).step_by(37).chain([usize::MAX]) {
        flash.words = power;
        let mut learner = Learner::new();
        let mut journal = now(AsyncJournal::open(flash, 0..Flash::SIZE as u32)).unwrap();
        let result = now(run(&mut learner, &mut sensor, &mut journal, 8, 1600));
        cuts += usize::from(result.is_err());
        assert!(learner.windows() >= reached, "it went back from {reached} to {}", learner.windows());
        reached = learner.windows() / 8 * 8 - if result.is_err() { 8 } else { 0 };
        flash = journal.into_inner();
        if result.is_ok() {
            let right = right(&learner);
            assert!(right >= 290, "{right} of 300");
        }
    }
    assert!(cuts > 10, "{cuts} power cuts");
    // What is in flash is what it has learnt.
    let mut again = Learner::new();
    let mut journal = now(AsyncJournal::open(flash, 0..Flash::SIZE as u32)).unwrap();
    now(run(&mut again, &mut sensor, &mut journal, 8, 0)).unwrap();
    assert_eq!(again.windows(), 1600);
    assert!(right(&again) >= 290);
}
