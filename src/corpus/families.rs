//! Families: stars of copies and later versions around the canonical document, the one
//! that was published first. Each member was judged beside that one itself, so a chain of
//! small edits does not swallow a topic.

use std::collections::HashMap;

use crate::store::{DocumentKey, EditorWord, StoreError, StoredDocument, View, Writer};
use crate::verdict::{Report, Verdict, judge_pair};

use super::{CorpusError, Parts};

impl Parts {
    /// Makes a star of a family again after `changed`, one of its members, came or became
    /// another. Where the canonical document is the same as before, only `changed` is judged.
    pub fn regroup(
        &self,
        writer: &Writer<'_>,
        family: i64,
        led_before: Option<DocumentKey>,
        changed: Option<DocumentKey>,
    ) -> Result<(), CorpusError> {
        let view = writer.view();
        let Some(leader) = view.canonical(family)? else { return Ok(()) };
        let Some(changed) =
            changed.filter(|changed| led_before == Some(leader) && *changed != leader)
        else {
            return match led_before == Some(leader) && changed.is_none() {
                true => Ok(()),
                false => self.regroup_all(writer, family),
            };
        };
        let words = Words::of(view, &[changed])?;
        let relation = match words.between(changed, leader) {
            Some(relation) => relation,
            None if words.keep_apart_from_any(view, changed, family)? => Verdict::New,
            None => {
                let leading = self.report(view, leader)?;
                judge_pair(&self.judge, &self.report(view, changed)?, &leading).verdict
            }
        };
        let family = match relation {
            Verdict::New => writer.new_family()?,
            _ => family,
        };
        Ok(writer.set_place(changed, family, relation)?)
    }

    /// Judges all members of a family beside the one that was published first. What is
    /// nothing beside it leaves, and makes a star of its own in the same way.
    ///
    /// Those that editors put beside it come first, so that an editor's word is never undone
    /// for the sake of what was only computed.
    fn regroup_all(&self, writer: &Writer<'_>, family: i64) -> Result<(), CorpusError> {
        let view = writer.view();
        let mut family = family;
        let mut members = view.members(family)?;
        let words = Words::of(view, &members)?;
        while let Some((&leader, rest)) = members.split_first() {
            writer.set_place(leader, family, Verdict::New)?;
            let mut admitted = vec![leader];
            let mut left = Vec::new();
            let mut leading = None;
            let (said, unsaid): (Vec<DocumentKey>, Vec<DocumentKey>) =
                rest.iter().copied().partition(|member| words.has_any(*member));
            for member in said.into_iter().chain(unsaid) {
                let relation = match words.among(member, &admitted) {
                    Some(relation) => relation,
                    None => {
                        let leading = match &mut leading {
                            Some(leading) => leading,
                            none => none.insert(self.report(view, leader)?),
                        };
                        judge_pair(&self.judge, &self.report(view, member)?, leading).verdict
                    }
                };
                match relation {
                    Verdict::New => left.push(member),
                    relation => {
                        writer.set_place(member, family, relation)?;
                        admitted.push(member);
                    }
                }
            }
            if !left.is_empty() {
                family = writer.new_family()?;
                let order: HashMap<DocumentKey, usize> =
                    members.iter().enumerate().map(|(at, member)| (*member, at)).collect();
                left.sort_by_key(|member| order.get(member).copied());
            }
            members = left;
        }
        Ok(())
    }

    /// Puts a document where an editor's word on it and another one makes it belong: out of
    /// that one's family, or into it. Where the other one is not canonical and the document is
    /// nothing beside the canonical one, the two make a family of their own.
    pub fn obey(
        &self,
        writer: &Writer<'_>,
        document: &StoredDocument,
        other: &StoredDocument,
        verdict: Verdict,
    ) -> Result<(), CorpusError> {
        let view = writer.view();
        let former = document.family;
        match verdict {
            Verdict::New if document.family != other.family => return Ok(()),
            Verdict::New => {
                let alone = writer.new_family()?;
                writer.set_place(document.key, alone, Verdict::New)?;
            }
            relation => {
                let belongs = match view.canonical(other.family)? {
                    Some(leader) if leader == other.key || leader == document.key => true,
                    Some(leader) => {
                        let leading = self.report(view, leader)?;
                        let pair =
                            judge_pair(&self.judge, &self.report(view, document.key)?, &leading);
                        let words = view.editor_words(document.key)?;
                        pair.corrected(&words, leader).verdict != Verdict::New
                    }
                    None => false,
                };
                let family = if belongs { other.family } else { writer.new_family()? };
                if !belongs {
                    writer.set_place(other.key, family, Verdict::New)?;
                }
                writer.set_place(document.key, family, relation)?;
                self.regroup_all(writer, family)?;
            }
        }
        self.regroup_all(writer, former)
    }

    /// Whether an editor put a document into the family that it is in.
    pub fn is_put(&self, view: View<'_>, document: &StoredDocument) -> Result<bool, CorpusError> {
        let words = view.editor_words(document.key)?;
        let others = words.iter().filter(|word| word.verdict != Verdict::New);
        let others = others.flat_map(|word| [word.document, word.other]).collect();
        let others = view.documents(&others)?;
        Ok(others
            .values()
            .any(|other| other.key != document.key && other.family == document.family))
    }

    /// A stored document as it is compared.
    fn report(&self, view: View<'_>, key: DocumentKey) -> Result<Report, CorpusError> {
        let document = view.documents(&[key].into())?.remove(&key);
        let document = document.ok_or(StoreError::Damaged("a family without its document"))?;
        Ok(self.stored_report(view, &document)?.0)
    }
}

/// What editors said of some documents and others.
struct Words(HashMap<DocumentKey, HashMap<DocumentKey, Verdict>>);

impl Words {
    fn of(view: View<'_>, documents: &[DocumentKey]) -> Result<Self, StoreError> {
        let mut words: HashMap<DocumentKey, HashMap<DocumentKey, Verdict>> = HashMap::new();
        for &known in documents {
            for EditorWord { document, other, verdict } in view.editor_words(known)? {
                words.entry(document).or_default().insert(other, verdict);
                words.entry(other).or_default().insert(document, verdict);
            }
        }
        Ok(Self(words))
    }

    fn has_any(&self, document: DocumentKey) -> bool {
        self.0.contains_key(&document)
    }

    fn between(&self, a: DocumentKey, b: DocumentKey) -> Option<Verdict> {
        self.0.get(&a)?.get(&b).copied()
    }

    /// What was said of a document and those that are in a family already: that it is new
    /// beside one of them counts before that it is something beside another one.
    fn among(&self, document: DocumentKey, members: &[DocumentKey]) -> Option<Verdict> {
        let said = self.0.get(&document)?;
        let among = members.iter().filter_map(|member| said.get(member)).copied();
        among.clone().find(|verdict| *verdict == Verdict::New).or_else(|| among.clone().next())
    }

    /// Whether a document was said to be new beside a member of a family.
    fn keep_apart_from_any(
        &self,
        view: View<'_>,
        document: DocumentKey,
        family: i64,
    ) -> Result<bool, StoreError> {
        let Some(said) = self.0.get(&document) else { return Ok(false) };
        let others = said.iter().filter(|(_, verdict)| **verdict == Verdict::New);
        let others = view.documents(&others.map(|(other, _)| *other).collect())?;
        Ok(others.values().any(|other| other.family == family))
    }
}
