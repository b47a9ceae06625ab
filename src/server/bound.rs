use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::{RETRY_AFTER, Refusal};

/// Bounds of the time after which a refused caller may try again.
const SOONEST: Duration = Duration::from_millis(100);
const LATEST: Duration = Duration::from_secs(60);

/// How much may be worked on at once. Clones share it.
#[derive(Clone)]
pub(super) struct Bound {
    places: Arc<Semaphore>,
    limit: usize,
    /// What requests that are worked on may cost, see [`Cost`](super::cost::Cost).
    room: Arc<Semaphore>,
    bytes: usize,
    stay: Arc<Stay>,
}

impl Bound {
    /// For so many requests, and so many bytes.
    pub fn new(limit: usize, bytes: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        let (places, room) = (semaphore(limit), semaphore(bytes));
        Self { places, limit, room, bytes, stay: Arc::default() }
    }

    /// A place for a request of that cost, if there is one.
    pub fn take(&self, cost: usize) -> Result<Place, Refusal> {
        let retry_after = self.stay.lately();
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Refusal::Overloaded { limit: self.limit, retry_after })?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(self.permits(cost));
        let room = room.map_err(|_| Refusal::Full { limit: self.bytes, retry_after })?;
        Ok(self.place(cost, [place, room]))
    }

    /// Likewise, as soon as there is one. `None` once the server has ended.
    pub async fn wait(&self, cost: usize) -> Option<Place> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let room = Arc::clone(&self.room).acquire_many_owned(self.permits(cost)).await.ok()?;
        Some(self.place(cost, [place, room]))
    }

    fn place(&self, cost: usize, permits: [OwnedSemaphorePermit; 2]) -> Place {
        let share = (1.0 / self.limit as f64).max(cost as f64 / self.bytes as f64).min(1.0);
        Place { stay: Arc::clone(&self.stay), share, begun: Instant::now(), _permits: permits }
    }

    /// What costs more than there is gets all of it.
    fn permits(&self, cost: usize) -> u32 {
        u32::try_from(cost.min(self.bytes)).unwrap_or(u32::MAX)
    }
}

/// A place among the requests that are worked on, and room for what one costs.
pub(super) struct Place {
    stay: Arc<Stay>,
    /// Of all that may be worked on at once.
    share: f64,
    begun: Instant,
    _permits: [OwnedSemaphorePermit; 2],
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stay.note(self.share, self.begun.elapsed());
    }
}

/// How long requests keep their places, lately. While all places are taken, what is ahead of a
/// newcomer is done after about that time, whatever it is (Little, "A Proof for the Queuing
/// Formula: L = λW", Operations Research, 1961).
struct Stay(Mutex<Duration>);

impl Default for Stay {
    fn default() -> Self {
        Self(Mutex::new(RETRY_AFTER))
    }
}

impl Stay {
    /// Notes how long a place was kept. The average is one over about as much as may be worked
    /// on at once.
    fn note(&self, share: f64, stay: Duration) {
        let mut average = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *average = average.mul_f64(1.0 - share) + stay.mul_f64(share);
    }

    fn lately(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clamp(SOONEST, LATEST)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, LATEST, SOONEST, Stay};
    use crate::server::refusal::Refusal;
    use std::time::Duration;

    fn after(limit: usize, stay: Duration) -> Duration {
        let known = Stay::default();
        // Three times as many as there are places.
        (0..3 * limit).for_each(|_| known.note(1.0 / limit as f64, stay));
        known.lately()
    }

    #[test]
    fn the_delay_is_the_time_that_requests_take() {
        for seconds in [0.5, 4.0, 20.0] {
            let told = after(128, Duration::from_secs_f64(seconds)).as_secs_f64();
            assert!((told / seconds - 1.0).abs() < 0.1, "{told} instead of {seconds}");
        }
        assert_eq!(after(128, Duration::ZERO), SOONEST);
        assert_eq!(after(128, Duration::from_secs(3_600)), LATEST);
    }

    #[test]
    fn what_takes_much_of_the_room_counts_for_much() {
        let known = Stay::default();
        known.note(0.01, Duration::from_secs(30));
        assert!(known.lately() < Duration::from_secs(2));
        known.note(0.9, Duration::from_secs(30));
        assert!(known.lately() > Duration::from_secs(25));
    }

    #[test]
    fn places_and_room_come_back() {
        let bound = Bound::new(2, 100);
        let first = bound.take(60).unwrap();
        assert!(matches!(bound.take(60), Err(Refusal::Full { limit: 100, .. })));
        let second = bound.take(40).unwrap();
        assert!(matches!(bound.take(0), Err(Refusal::Overloaded { limit: 2, .. })));
        drop((first, second));
        // More than there is: all of it.
        drop(bound.take(1_000).unwrap());
        bound.take(100).unwrap();
    }
}
