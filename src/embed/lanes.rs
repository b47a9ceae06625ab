use std::collections::{HashMap, VecDeque};

/// Bytes that every text counts for besides its own: what a short one costs.
const OVERHEAD: u64 = 64;

/// What a text is embedded for, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Somebody waits for an answer.
    Question,
    /// A document comes in.
    Ingest,
}

/// Tells those apart who share the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ClientId(pub u64);

/// Names a call, within its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    lane: Lane,
    client: ClientId,
    call: u64,
}

/// What waits to be embedded. A lane is served only while those before it are empty.
/// Within one, the clients get equal shares of the work, measured in bytes (Goyal, Vin
/// and Cheng, "Start-Time Fair Queueing", 1996, section 2, with equal weights), and the
/// calls of a client take turns.
pub(super) struct Lanes<T> {
    lanes: [Fair<T>; 2],
    calls: u64,
}

struct Fair<T> {
    clients: HashMap<ClientId, Share<T>>,
    /// The virtual time: what the client served last had had when it was.
    now: u64,
    /// Of all that waits.
    bytes: usize,
}

/// What a client has had, and what it waits for.
struct Share<T> {
    served: u64,
    calls: VecDeque<(u64, VecDeque<(usize, T)>)>,
}

impl<T> Lanes<T> {
    pub fn new() -> Self {
        let lane = || Fair { clients: HashMap::new(), now: 0, bytes: 0 };
        Self { lanes: [lane(), lane()], calls: 0 }
    }

    /// Lets a call wait: its texts, with the bytes of each.
    pub fn push(&mut self, lane: Lane, client: ClientId, texts: VecDeque<(usize, T)>) -> Ticket {
        self.calls += 1;
        let ticket = Ticket { lane, client, call: self.calls };
        let fair = self.lane(lane);
        let now = fair.now;
        fair.bytes += texts.iter().map(|(bytes, _)| bytes).sum::<usize>();
        let share = fair.clients.entry(client);
        let share = share.or_insert_with(|| Share { served: now, calls: VecDeque::new() });
        // Who comes back has no claim on what was not used meanwhile, and owes what was had
        // ahead of the others.
        share.served = share.served.max(now);
        if !texts.is_empty() {
            share.calls.push_back((ticket.call, texts));
        }
        ticket
    }

    /// The text that is next.
    pub fn pop(&mut self) -> Option<T> {
        self.lanes.iter_mut().find_map(Fair::pop)
    }

    /// Takes out what is left of a call.
    pub fn remove(&mut self, ticket: Ticket) -> VecDeque<(usize, T)> {
        let fair = self.lane(ticket.lane);
        let Some(share) = fair.clients.get_mut(&ticket.client) else {
            return VecDeque::new();
        };
        let at = share.calls.iter().position(|(call, _)| *call == ticket.call);
        let left = at.and_then(|at| share.calls.remove(at)).map(|(_, texts)| texts);
        let left = left.unwrap_or_default();
        fair.bytes -= left.iter().map(|(bytes, _)| bytes).sum::<usize>();
        fair.forget();
        left
    }

    /// Bytes of the texts that wait in a lane.
    pub fn bytes(&self, lane: Lane) -> usize {
        let [question, ingest] = &self.lanes;
        match lane {
            Lane::Question => question.bytes,
            Lane::Ingest => ingest.bytes,
        }
    }

    fn lane(&mut self, lane: Lane) -> &mut Fair<T> {
        let [question, ingest] = &mut self.lanes;
        match lane {
            Lane::Question => question,
            Lane::Ingest => ingest,
        }
    }
}

impl<T> Fair<T> {
    fn pop(&mut self) -> Option<T> {
        let waiting = self.clients.iter_mut().filter(|(_, share)| !share.calls.is_empty());
        let (_, share) = waiting.min_by_key(|(client, share)| (share.served, client.0))?;
        let (call, mut texts) = share.calls.pop_front()?;
        let next = texts.pop_front();
        if !texts.is_empty() {
            share.calls.push_back((call, texts));
        }
        let bytes = next.as_ref().map_or(0, |(bytes, _)| *bytes);
        self.now = share.served;
        self.bytes -= bytes;
        share.served += OVERHEAD + bytes as u64;
        self.forget();
        next.map(|(_, text)| text)
    }

    /// Forgets the clients that wait for nothing and owe nothing. When nobody waits, nobody
    /// owes.
    fn forget(&mut self) {
        let (now, idle) = (self.now, self.bytes == 0);
        self.clients.retain(|_, share| !share.calls.is_empty() || (share.served > now && !idle));
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientId, Lane, Lanes};
    use std::collections::VecDeque;

    const A: ClientId = ClientId(1);
    const B: ClientId = ClientId(2);

    fn texts(name: &str, count: usize, bytes: usize) -> VecDeque<(usize, String)> {
        (0..count).map(|index| (bytes, format!("{name}{index}"))).collect()
    }

    fn order(lanes: &mut Lanes<String>) -> Vec<String> {
        std::iter::from_fn(|| lanes.pop()).collect()
    }

    #[test]
    fn questions_overtake_what_comes_in() {
        let mut lanes = Lanes::new();
        lanes.push(Lane::Ingest, A, texts("i", 2, 10));
        lanes.push(Lane::Question, B, texts("q", 2, 10_000));
        assert_eq!(order(&mut lanes), ["q0", "q1", "i0", "i1"]);
    }

    #[test]
    fn clients_get_equal_shares_whatever_they_send() {
        let mut lanes = Lanes::new();
        // One sends very much at once, in many calls; the other one sends later, and less.
        for _ in 0..50 {
            lanes.push(Lane::Ingest, A, texts("a", 100, 1_000));
        }
        for _ in 0..200 {
            lanes.pop();
        }
        lanes.push(Lane::Ingest, B, texts("b", 40, 1_000));
        let next: Vec<_> = (0..80).filter_map(|_| lanes.pop()).collect();
        let of_b = next.iter().filter(|text| text.starts_with('b')).count();
        assert!((39..=40).contains(&of_b), "{of_b} of 80");
        // Equal in bytes, not in texts.
        lanes.push(Lane::Ingest, B, texts("b", 400, 100));
        let next: Vec<_> = (0..50).filter_map(|_| lanes.pop()).collect();
        let of_b = next.iter().filter(|text| text.starts_with('b')).count();
        assert!((40..=46).contains(&of_b), "{of_b} of 50");
    }

    #[test]
    fn who_sends_one_text_at_a_time_gets_no_more_than_an_equal_share() {
        let mut lanes = Lanes::new();
        lanes.push(Lane::Ingest, A, texts("a", 1_000, 100));
        let (mut of_a, mut of_b) = (0, 0);
        for _ in 0..300 {
            // Never more than one waits, a large one.
            if lanes.lanes[1].clients.get(&B).is_none_or(|share| share.calls.is_empty()) {
                lanes.push(Lane::Ingest, B, texts("b", 1, 2_000));
            }
            match lanes.pop() {
                Some(text) if text.starts_with('a') => of_a += 100 + 64,
                _ => of_b += 2_000 + 64,
            }
        }
        let share = f64::from(of_b) / f64::from(of_a + of_b);
        assert!((0.4..0.6).contains(&share), "{share}");
    }

    #[test]
    fn the_calls_of_a_client_take_turns() {
        let mut lanes = Lanes::new();
        lanes.push(Lane::Question, A, texts("long", 3, 10));
        lanes.push(Lane::Question, A, texts("short", 1, 10));
        assert_eq!(order(&mut lanes), ["long0", "short0", "long1", "long2"]);
    }

    #[test]
    fn a_call_that_leaves_leaves_nothing() {
        let mut lanes = Lanes::new();
        let left = lanes.push(Lane::Ingest, A, texts("left", 3, 10));
        lanes.push(Lane::Ingest, A, texts("a", 1, 10));
        assert_eq!(lanes.pop().unwrap(), "left0");
        assert_eq!(lanes.bytes(Lane::Ingest), 30);
        assert_eq!(lanes.remove(left).len(), 2);
        assert_eq!(lanes.bytes(Lane::Ingest), 10);
        assert_eq!(order(&mut lanes), ["a0"]);
        assert_eq!(lanes.bytes(Lane::Ingest), 0);
        assert!(lanes.remove(left).is_empty());
        assert!(lanes.pop().is_none());
    }
}
