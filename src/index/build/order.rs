use super::{Draft, trimmed};

impl Draft {
    /// Puts nodes that are linked near one another, breadth first, so that a walk stays in
    /// the same pages.
    pub fn arrange(&mut self) {
        let nodes = self.nodes();
        let mut seen = vec![false; nodes];
        let mut order: Vec<u32> = Vec::with_capacity(nodes);
        let mut done = 0;
        for start in 0..nodes as u32 {
            visit(start, &mut seen, &mut order);
            while let Some(&node) = order.get(done) {
                done += 1;
                for &link in trimmed(self.links_of(node)) {
                    visit(link, &mut seen, &mut order);
                }
            }
        }
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); nodes];
        for (row, &head) in (nodes as u32..).zip(&self.heads) {
            if let Some(members) = members.get_mut(head as usize) {
                members.push(row);
            }
        }
        self.regroup(&order, &vec![None; nodes], &members);
    }
}

fn visit(node: u32, seen: &mut [bool], order: &mut Vec<u32>) {
    if let Some(seen) = seen.get_mut(node as usize).filter(|seen| !**seen) {
        *seen = true;
        order.push(node);
    }
}
