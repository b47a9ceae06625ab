//! Memory that is held for clients that are slow: it costs them nothing, so it is bounded, for
//! each connection and for all of them.

mod layer;
mod messages;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::refusal::Refusal;

pub(super) use layer::{AnswerBytes, Hold};

/// Share of what is free that may be held for one connection, and so of all of it.
const OF_FREE: usize = 4;
const OF_ALL: usize = OF_FREE + 1;

/// What is held for clients: the part of a message that came in before the rest of it,
/// documents of a stream whose answers wait for those before them, and answers that nobody has
/// read.
///
/// For one connection, there may be a quarter of what is free (Choudhury and Hahne, "Dynamic
/// Queue Length Thresholds for Shared-Memory Packet Switches", IEEE/ACM Transactions on
/// Networking, 1998): of those that take what they can, the next one gets a fifth of what those
/// before it left, and so there is room for somebody new.
pub(super) struct Held {
    limit: usize,
    bytes: Mutex<usize>,
    freed: Notify,
}

impl Held {
    /// For so many bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, bytes: Mutex::default(), freed: Notify::new() })
    }

    /// A connection that nothing is held for.
    pub fn connection(self: &Arc<Self>) -> Share {
        Share { all: Arc::clone(self), own: Arc::default() }
    }

    /// Bytes that are held.
    pub fn bytes(&self) -> usize {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is held for one connection. Clones share it.
#[derive(Clone)]
pub(super) struct Share {
    all: Arc<Held>,
    own: Arc<AtomicUsize>,
}

impl Share {
    /// Room that is empty, and can grow.
    pub fn empty(&self) -> Room {
        Room { share: self.clone(), bytes: 0 }
    }

    /// Room for so many bytes until it is dropped, if there is any.
    pub fn room(&self, bytes: usize) -> Result<Room, Refusal> {
        let mut room = self.empty();
        room.resize(bytes)?;
        Ok(room)
    }

    /// Likewise, as soon as there is any. What needs more than a connection can have gets
    /// all of it.
    pub async fn wait(&self, bytes: usize) -> Room {
        loop {
            // Asked for before room is, so that no word of it is missed.
            let freed = self.all.freed.notified();
            if let Ok(room) = self.room(bytes.min(self.all.limit / OF_ALL)) {
                return room;
            }
            freed.await;
        }
    }
}

/// Bytes that are held for a client.
pub(super) struct Room {
    share: Share,
    bytes: usize,
}

impl Room {
    /// Makes it room for so many bytes. It stays as it is if there is not enough.
    pub fn resize(&mut self, bytes: usize) -> Result<(), Refusal> {
        let Share { all, own } = &self.share;
        let mut held = all.lock();
        // Changed under this lock only.
        let of_one = own.load(Ordering::Relaxed) - self.bytes + bytes;
        let of_all = *held - self.bytes + bytes;
        if bytes > self.bytes && of_one > all.limit.saturating_sub(of_all) / OF_FREE {
            return Err(Refusal::Held);
        }
        own.store(of_one, Ordering::Relaxed);
        *held = of_all;
        drop(held);
        if bytes < std::mem::replace(&mut self.bytes, bytes) {
            all.freed.notify_waiters();
        }
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // To hold less is never refused.
        let _ = self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, OF_ALL};

    const ALL: usize = 256 << 20;

    /// What one connection can have.
    const MOST: usize = ALL / OF_ALL;

    #[test]
    fn whatever_others_hold_there_is_room_for_somebody_new() {
        let held = Held::new(ALL);
        let mut rooms = Vec::new();
        for connection in 0..30 {
            let mut room = held.connection().empty();
            let mut own = 0;
            while room.resize(own + 4_096).is_ok() {
                own += 4_096;
            }
            assert!(own <= MOST);
            assert!(own >= 64 << 10, "{own} bytes for connection {connection}");
            rooms.push(room);
        }
        assert!(held.bytes() < ALL, "{}", held.bytes());
        drop(rooms);
        assert_eq!(held.bytes(), 0);
    }

    #[test]
    fn room_that_is_given_back_is_there_again() {
        let share = Held::new(ALL).connection();
        let mut room = share.room(MOST).unwrap();
        assert!(share.room(1).is_err());
        room.resize(MOST - 1).unwrap();
        let last = share.room(1).unwrap();
        assert!(room.resize(MOST).is_err());
        drop(last);
        room.resize(MOST).unwrap();
        drop(room);
        assert_eq!(share.all.bytes(), 0);
    }

    #[tokio::test]
    async fn who_waits_gets_room_as_soon_as_there_is_some() {
        let share = Held::new(ALL).connection();
        let room = share.room(MOST).unwrap();
        let waiting = tokio::spawn({
            let share = share.clone();
            async move { share.wait(usize::MAX).await.bytes }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(room);
        assert_eq!(waiting.await.unwrap(), MOST);
    }
}
