use std::sync::Arc;

use super::super::codes::{Codes, Scale};
use super::super::segment::{Owner, Segment, VectorSource};
use super::super::walk::{DEGREE, NONE};
use super::{Draft, Entries, Origin};

/// Segments whose rows become one.
pub struct Sources(Vec<Arc<Segment>>);

impl Sources {
    /// The largest first: the others join its families.
    pub fn new(mut segments: Vec<Arc<Segment>>) -> Self {
        segments.sort_by_key(|segment| std::cmp::Reverse(segment.live()));
        Self(segments)
    }

    /// The live rows of all, with the links that they have. The graphs of different segments
    /// are parts that no link leads between.
    pub fn draft(&self, dimension: usize) -> Draft {
        let scale =
            self.0.iter().map(|segment| segment.scale()).min_by(|a, b| a.get().total_cmp(&b.get()));
        let scale = scale.unwrap_or(Scale::for_highest(1.0));
        let mut nodes: Vec<Origin> = Vec::new();
        let mut members: Vec<Vec<Origin>> = Vec::new();
        let mut links: Vec<u32> = Vec::new();
        let mut starts = vec![0];
        for (source, segment) in (0_u32..).zip(&self.0) {
            let first = nodes.len() as u32;
            let mut place = vec![NONE; segment.nodes()];
            for node in 0..segment.nodes() as u32 {
                // The first that lives stands for a family.
                let family = std::iter::once(node).chain(segment.members(node));
                let mut living = family.filter(|&row| !segment.is_dead(row));
                let Some(head) = living.next() else { continue };
                if let Some(place) = place.get_mut(node as usize) {
                    *place = nodes.len() as u32;
                }
                nodes.push(Origin { source, row: head });
                members.push(living.map(|row| Origin { source, row }).collect());
            }
            for node in (0..segment.nodes()).filter(|&node| place.get(node) != Some(&NONE)) {
                let linked = segment.links_of(node as u32).iter();
                let linked = linked.filter_map(|&link| place.get(link as usize).copied());
                let mut linked: Vec<u32> = linked.filter(|&link| link != NONE).collect();
                linked.resize(DEGREE, NONE);
                links.extend(linked);
            }
            if nodes.len() as u32 > first {
                starts.push(nodes.len() as u32);
            }
        }
        let heads = (0_u32..).zip(&members).flat_map(|(node, m)| m.iter().map(move |_| node));
        let heads: Vec<u32> = heads.collect();
        let origins: Vec<Origin> = nodes.into_iter().chain(members.into_iter().flatten()).collect();
        let mut codes = Codes::new(dimension, scale);
        for &origin in &origins {
            match self.segment(origin) {
                Some(segment) if segment.scale() == scale => {
                    codes.push_row(segment.rows().row(origin.row))
                }
                _ => codes.push(self.vector(origin)),
            }
        }
        let owners = origins.iter().map(|&origin| self.owner(origin)).collect();
        let bounds = starts.windows(2).filter_map(|pair| Some(*pair.first()?..*pair.last()?));
        let parts = bounds.map(|nodes| Entries::sample(&codes, nodes)).collect();
        Draft { codes, links, heads, owners, origins, parts }
    }

    fn segment(&self, origin: Origin) -> Option<&Segment> {
        self.0.get(origin.source as usize).map(Arc::as_ref)
    }

    fn owner(&self, origin: Origin) -> Owner {
        self.segment(origin).and_then(|segment| segment.owner_of(origin.row)).unwrap_or_default()
    }
}

impl VectorSource for Sources {
    fn vector(&self, origin: Origin) -> &[f32] {
        self.segment(origin).map(|segment| segment.vector(origin.row)).unwrap_or_default()
    }

    fn check(&self, origin: Origin) -> u32 {
        self.segment(origin).map_or(0, |segment| segment.check_of(origin.row))
    }
}
