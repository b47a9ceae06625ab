//! What a server acknowledged, and what it may hold therefore.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use copydesk::client::Client;
use copydesk::proto::v1 as pb;
use fastrand::Rng;
use tonic::{Code, Status};

use super::{Desk, document, ingest, seeds};

/// Paragraphs of a document: enough for half of it to be told from all.
const PARAGRAPHS: u64 = 3;

/// Documents that are looked at when not all are.
const SAMPLE: usize = 12;

/// The body of a document, by the number that it is made of; `None` if there is none.
type State = Option<u64>;

/// Mixed work of one client, and what came of it. No two know the same documents.
pub struct Ledger {
    name: char,
    rng: Rng,
    next: u64,
    /// The states in which each document may be: one, or, where an answer did not come, that
    /// before and that after.
    documents: BTreeMap<String, Vec<State>>,
    /// Whether two documents may be of one family, because an editor said so.
    pairs: BTreeMap<u64, Vec<bool>>,
    /// Documents of pairs that may have been put in, of which nothing more is known.
    loose: usize,
}

/// What is asked for.
enum Change {
    Put(String, u64),
    Delete(String),
    Judge(u64, bool),
}

/// Words of reports in an order that makes no sense: no two texts are about the same, so
/// that nothing but themselves is found for them.
fn paragraph(number: u64, part: u64) -> String {
    static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let texts = seeds().into_iter().map(|(_, text)| text).collect::<String>();
        let words = texts.split(|letter: char| !letter.is_alphabetic());
        words.filter(|word| word.len() > 3).map(str::to_owned).collect()
    });
    let mut rng = Rng::with_seed(number * PARAGRAPHS + part);
    let words: Vec<&str> = (0..18).map(|_| rng.choice(&*WORDS).unwrap().as_str()).collect();
    format!("Motion {number}, {part}: {}.", words.join(" "))
}

fn paragraphs(number: u64) -> Vec<String> {
    (0..PARAGRAPHS).map(|part| paragraph(number, part)).collect()
}

/// Work of several clients at once until all are refused, or each has done so much. Returns
/// the refusals.
pub async fn work(ledgers: &mut [Ledger], client: &Client, most: usize) -> Vec<Status> {
    let working = ledgers.iter_mut().map(|ledger| ledger.work(client.clone(), most));
    futures::future::join_all(working).await.into_iter().flatten().collect()
}

/// Looks whether the server holds what it may hold, all of it or a part. From then on that is
/// what it must hold.
pub async fn check(ledgers: &mut [Ledger], desk: &mut Desk, everything: bool) {
    for ledger in ledgers.iter_mut() {
        ledger.check(desk, everything).await;
    }
    if everything {
        let info = desk.info().await.corpus.unwrap();
        assert_eq!(info.index_coverage, 1.0);
        let bounds = ledgers.iter().map(Ledger::count);
        let (least, most) =
            bounds.fold((0, 0), |(a, b), count| (a + count.start(), b + count.end()));
        let count = info.document_count as usize;
        assert!((least..=most).contains(&count), "{count} documents, not {least} to {most}");
    }
}

impl Ledger {
    /// One for a client, whose documents have names of their own.
    pub fn new(name: char, seed: u64) -> Self {
        let next = u64::from(name) * 1_000_000;
        let (documents, pairs) = (BTreeMap::new(), BTreeMap::new());
        Self { name, rng: Rng::with_seed(seed ^ next), next, documents, pairs, loose: 0 }
    }

    /// Works until something is refused, or has been done so often. Returns the refusal.
    async fn work(&mut self, mut client: Client, most: usize) -> Option<Status> {
        for _ in 0..most {
            let asked = self.ask(&mut client).await;
            if let Err(refused) = asked {
                return Some(refused);
            }
            let change = self.choose();
            if let Err(refused) = self.change(&mut client, change).await {
                return Some(refused);
            }
        }
        None
    }

    fn choose(&mut self) -> Change {
        self.next += 1;
        let known = self.some_document();
        match (self.rng.u8(0..10), known) {
            (0, Some(id)) => Change::Delete(id),
            (1 | 2, Some(id)) => Change::Put(id, self.next),
            (3, _) => Change::Judge(self.next, true),
            (4, _) if !self.pairs.is_empty() => {
                let pair = self.rng.usize(0..self.pairs.len());
                let pair = *self.pairs.keys().nth(pair).unwrap();
                Change::Judge(pair, self.pairs[&pair] == [false])
            }
            _ => Change::Put(format!("{}{}", self.name, self.next), self.next),
        }
    }

    fn some_document(&mut self) -> Option<String> {
        let ids: Vec<&String> = self.documents.keys().collect();
        (!ids.is_empty()).then(|| ids[self.rng.usize(0..ids.len())].clone())
    }

    async fn ask(&mut self, client: &mut Client) -> Result<(), Status> {
        let text = paragraph(self.next, self.rng.u64(0..PARAGRAPHS));
        copies(client, text).await.map(|_| ())
    }

    /// Asks for a change and notes what came of it.
    async fn change(&mut self, client: &mut Client, change: Change) -> Result<(), Status> {
        match change {
            Change::Put(id, number) => {
                let texts = paragraphs(number);
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                let known = self.documents.entry(id.clone()).or_insert_with(|| vec![None]);
                known.push(Some(number));
                client.corpus.ingest_document(ingest(document(&id, &texts))).await?;
                *known = vec![Some(number)];
            }
            Change::Delete(id) => {
                let known = self.documents.get_mut(&id).unwrap();
                known.push(None);
                let request = pb::DeleteDocumentRequest { document_id: id };
                match client.corpus.delete_document(request).await {
                    Ok(_) => *known = vec![None],
                    Err(status) if status.code() == Code::NotFound => *known = vec![None],
                    Err(status) => return Err(status),
                }
            }
            Change::Judge(pair, is_same) => self.judge(client, pair, is_same).await?,
        }
        Ok(())
    }

    /// Says of two documents whether they are the same. They are put in first if need be,
    /// and nothing else happens to them.
    async fn judge(&mut self, client: &mut Client, pair: u64, is_same: bool) -> Result<(), Status> {
        let [id, other] = self.pair(pair);
        if !self.pairs.contains_key(&pair) {
            self.loose += 2;
            for (id, part) in [(&other, 0), (&id, 1)] {
                let text = paragraph(pair, part);
                client.corpus.ingest_document(ingest(document(id, &[&text]))).await?;
            }
            self.loose -= 2;
            self.pairs.insert(pair, vec![false]);
        }
        let known = self.pairs.get_mut(&pair).unwrap();
        known.push(is_same);
        let verdict = if is_same { pb::Verdict::NearDuplicate } else { pb::Verdict::New };
        let request = pb::SetVerdictRequest {
            document_id: id,
            other_document_id: other,
            verdict: verdict.into(),
            same_story: None,
        };
        client.corpus.set_verdict(request).await?;
        *known = vec![is_same];
        Ok(())
    }

    fn pair(&self, pair: u64) -> [String; 2] {
        ["later", "earlier"].map(|which| format!("{}-{which}-{pair}", self.name))
    }

    /// Of what is not in doubt, looks at everything or at a sample.
    async fn check(&mut self, desk: &mut Desk, everything: bool) {
        let sample = if everything { usize::MAX } else { SAMPLE };
        let mut ids: Vec<String> = self.documents.keys().cloned().collect();
        self.rng.shuffle(&mut ids);
        ids.sort_by_key(|id| self.documents[id].len() < 2);
        let doubtful = ids.iter().filter(|id| self.documents[*id].len() > 1).count();
        for id in ids.into_iter().take(sample.max(doubtful)) {
            let states = self.documents[&id].clone();
            let found = held(desk, &id, &states).await;
            self.documents.insert(id, vec![found]);
        }
        for (pair, states) in self.pairs.clone() {
            if everything || states.len() > 1 {
                let [id, other] = self.pair(pair);
                let document = desk.get(&id, pb::VerdictView::Unspecified).await.unwrap();
                let is_same = document.document.unwrap().canonical_document_id == other;
                assert!(states.contains(&is_same), "{id}: {is_same}, not {states:?}");
                self.pairs.insert(pair, vec![is_same]);
            }
        }
    }

    /// How many documents may be stored, once all that was in doubt is known.
    fn count(&self) -> RangeInclusive<usize> {
        let single = self.documents.values().filter(|states| **states != [None]).count();
        let known = single + 2 * self.pairs.len();
        known..=known + self.loose
    }
}

/// The state in which a document is, which must be one of these, and whole.
async fn held(desk: &mut Desk, id: &str, states: &[State]) -> State {
    let found = match desk.get(id, pb::VerdictView::Passages).await {
        Ok(found) => Some(found),
        Err(status) => {
            assert_eq!(status.code(), Code::NotFound, "{id}: {status}");
            None
        }
    };
    let texts: Option<Vec<String>> = found.as_ref().map(|found| {
        assert!(found.verdict.is_some(), "{id} has no verdict");
        found.passages.iter().map(|passage| passage.text.clone()).collect()
    });
    let state = states.iter().find(|state| state.map(paragraphs) == texts);
    let state = *state.unwrap_or_else(|| panic!("{id} is {texts:?}, which is none of {states:?}"));
    for number in states.iter().flatten() {
        for (part, text) in paragraphs(*number).iter().enumerate() {
            let copies = copies(&mut desk.client, text.clone()).await.unwrap();
            let is_found = copies.contains(&format!("{id}#{part}"));
            assert_eq!(is_found, state == Some(*number), "{id}#{part} of {number}");
        }
    }
    state
}

/// Ids of passages that say what a text says.
async fn copies(client: &mut Client, text: String) -> Result<Vec<String>, Status> {
    let query = pb::find_duplicates_request::Query::Text(text);
    let request = pb::FindDuplicatesRequest { query: Some(query), ..Default::default() };
    let matches = client.similarity.find_duplicates(request).await?.into_inner().matches;
    Ok(matches.into_iter().map(|found| found.passage.unwrap().passage_id).collect())
}
