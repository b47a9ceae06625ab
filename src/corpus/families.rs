//! What the members of a family are beside its canonical document, kept as of now.

use crate::store::{DocumentKey, StoreError, View, Writer};
use crate::verdict::{Comparable, Side, SidePassage, Verdict, judge_pair};

use super::query::primary;
use super::{CorpusError, Parts};

impl Parts {
    /// Judges the members of a family beside the document that leads it now: all of
    /// them if it did not lead before or if it is the one that changed, else only the
    /// one that changed.
    pub fn refresh_family(
        &self,
        writer: &Writer<'_>,
        family: i64,
        led_before: Option<DocumentKey>,
        changed: Option<DocumentKey>,
    ) -> Result<(), CorpusError> {
        let view = writer.view();
        let Some(leader) = view.canonical(family)? else {
            return Ok(());
        };
        let all = led_before != Some(leader) || changed == Some(leader);
        let mut members = match all {
            true => view.members(family)?,
            false => changed.into_iter().collect(),
        };
        members.retain(|member| *member != leader);
        if members.is_empty() {
            return Ok(());
        }
        let leading = self.side(view, leader)?;
        for member in members {
            let relation = match judge_pair(&self.side(view, member)?, &leading).verdict {
                // It is in the family by way of another member.
                Verdict::New => Verdict::Update,
                relation => relation,
            };
            writer.set_relation(member, relation)?;
        }
        Ok(())
    }

    fn side(&self, view: View<'_>, key: DocumentKey) -> Result<Side, CorpusError> {
        let document = view.documents(&[key].into())?.remove(&key);
        let document = document.ok_or(StoreError::Damaged("a family without its document"))?;
        let speaks = self.embedder.model().speaks(&primary(&document.metadata));
        let dimension = self.embedder.model().dimension;
        let passages = view.passages(key)?.into_iter().map(|passage| {
            Ok(SidePassage {
                ordinal: passage.ordinal,
                kind: passage.kind,
                text: Comparable::of(&passage.text),
                // From the store: the index gets to know them after the commit.
                windows: match passage.content.filter(|_| speaks) {
                    Some(content) => view.windows(content, dimension)?,
                    None => None,
                },
            })
        });
        let passages = passages.collect::<Result<_, CorpusError>>()?;
        Ok(Side { passages, reporting_hash: document.reporting_hash })
    }
}
