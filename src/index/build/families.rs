use super::super::codes::QueryCodes;
use super::super::kernels::Kernel;
use super::super::walk::NONE;
use super::select::Candidate;
use super::{Draft, trimmed};

/// Who joins whom.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// A vector whose cosine to a node is at least this joins the node's family.
    pub cosine: f32,
    /// Rows of a family besides its head, at most: one more becomes a head.
    pub most: usize,
}

/// Near-copies as agencies send them, and damaged ones, are within it; different reports
/// about one thing are not.
pub const FAMILY: Family = Family { cosine: 0.93, most: 255 };

impl Draft {
    /// Joins each node, with all of its family, to the family of the nearest node before it,
    /// where all of them are near enough and there is room.
    pub fn join(&mut self, nearest: &[Option<Candidate>]) {
        let nodes = self.nodes();
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); nodes];
        for (row, &head) in (nodes as u32..).zip(&self.heads) {
            if let Some(members) = members.get_mut(head as usize) {
                members.push(row);
            }
        }
        let mut joins: Vec<Option<u32>> = vec![None; nodes];
        let mut query = QueryCodes::default();
        let mut products = Vec::new();
        for (node, nearest) in (0_u32..).zip(nearest) {
            let Some(Candidate { node: head, .. }) = *nearest else { continue };
            let own = members.get(node as usize).cloned().unwrap_or_default();
            let has_joined = joins.get(head as usize).copied().flatten().is_some();
            let room =
                members.get(head as usize).map_or(0, |m| FAMILY.most.saturating_sub(m.len()));
            if has_joined || room < own.len() + 1 {
                continue;
            }
            let all: Vec<u32> = own.iter().copied().chain([node]).collect();
            query.set_row(self.codes.rows().row(head), self.codes.scale);
            Kernel::best().gather(self.codes.rows(), &all, query.query(), &mut products);
            if products.iter().all(|&product| query.cosine(product) >= FAMILY.cosine) {
                if let Some(members) = members.get_mut(node as usize) {
                    members.clear();
                }
                if let Some(members) = members.get_mut(head as usize) {
                    members.extend(all);
                }
                if let Some(join) = joins.get_mut(node as usize) {
                    *join = Some(head);
                }
            }
        }
        let kept: Vec<u32> =
            (0..).zip(&joins).filter(|(_, join)| join.is_none()).map(|(node, _)| node).collect();
        self.regroup(&kept, &joins, &members);
    }

    /// Puts rows in the order of `kept` nodes, then of their members. Links to nodes that
    /// were joined lead to those that they joined.
    pub(super) fn regroup(&mut self, kept: &[u32], joins: &[Option<u32>], members: &[Vec<u32>]) {
        let mut place = vec![NONE; joins.len()];
        for (new, &old) in (0..).zip(kept) {
            if let Some(place) = place.get_mut(old as usize) {
                *place = new;
            }
        }
        let place_of = |node: u32| -> Option<u32> {
            let head = joins.get(node as usize).copied().flatten().unwrap_or(node);
            place.get(head as usize).copied().filter(|&place| place != NONE)
        };
        let mut links = Vec::with_capacity(kept.len() * super::super::walk::DEGREE);
        let (mut order, mut heads) = (kept.to_vec(), Vec::new());
        for (new, &old) in (0_u32..).zip(kept) {
            let mut moved: Vec<u32> = Vec::with_capacity(super::super::walk::DEGREE);
            for link in trimmed(self.links_of(old)).iter().filter_map(|&link| place_of(link)) {
                if link != new && !moved.contains(&link) {
                    moved.push(link);
                }
            }
            moved.resize(super::super::walk::DEGREE, NONE);
            links.extend(moved);
            let members = members.get(old as usize).map(Vec::as_slice).unwrap_or_default();
            order.extend_from_slice(members);
            heads.extend(members.iter().map(|_| new));
        }
        self.codes = self.codes.reordered(&order);
        self.owners =
            order.iter().filter_map(|&row| self.owners.get(row as usize).copied()).collect();
        self.origins =
            order.iter().filter_map(|&row| self.origins.get(row as usize).copied()).collect();
        self.links = links;
        self.heads = heads;
    }
}
