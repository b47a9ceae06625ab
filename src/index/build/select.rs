use super::super::codes::{Codes, QueryCodes};
use super::super::kernels::Kernel;

/// A node that may be linked to, and its product with the node that is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    pub product: i32,
    pub node: u32,
}

/// Chooses links among candidates.
#[derive(Default)]
pub struct Selector {
    query: QueryCodes,
    products: Vec<i32>,
    passed_over: Vec<u32>,
}

impl Selector {
    /// The links of a node: of its candidates, best first, those that are nearer to it than
    /// to any that was chosen before (Malkov and Yashunin, 2018, algorithm 4), then the best
    /// of those that were passed over. At most `most`.
    pub fn select(
        &mut self,
        codes: &Codes,
        candidates: &mut Vec<Candidate>,
        most: usize,
    ) -> Vec<u32> {
        candidates.sort_unstable_by(|a, b| b.cmp(a));
        candidates.dedup_by_key(|candidate| candidate.node);
        let rows = codes.rows();
        let mut chosen = Vec::with_capacity(most);
        self.passed_over.clear();
        for candidate in candidates.iter() {
            if chosen.len() == most {
                break;
            }
            self.query.set_row(rows.row(candidate.node), codes.scale);
            Kernel::best().gather(rows, &chosen, self.query.query(), &mut self.products);
            match self.products.iter().all(|&product| product < candidate.product) {
                true => chosen.push(candidate.node),
                false => self.passed_over.push(candidate.node),
            }
        }
        let room = most - chosen.len();
        chosen.extend(self.passed_over.iter().take(room));
        chosen
    }
}
