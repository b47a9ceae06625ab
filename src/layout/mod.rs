//! A map: places in two dimensions, near to each other for what means much the same.
//!
//! A sample is laid out by UMAP; whatever else there is stands among those of the sample that it
//! is likest to. So a map costs little more than reading vectors, and what is on it stays where it
//! is while others come and go. The same vectors give the same map.

mod axes;
mod umap;

use crate::embed::UnitVector;

pub use axes::Axes;

/// Vectors that are laid out, at most: enough for the shape of a corpus, and done in seconds.
pub const SAMPLE: usize = 2_048;

/// Of the sample, those that something else is placed among.
const AMONG: usize = 8;

/// Difference of cosines at which one of those counts a third of the likest one.
const FADES: f32 = 0.02;

/// How far from the likest one another one may stand to count: something between two places
/// that are far apart would be near to nothing.
const REACH: f32 = 0.12;

/// How far something is moved aside from those that it is among, by what tells it from the
/// likest one.
const ASIDE: f32 = 0.05;

/// A place on a map. What was laid out is within -1 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// From left to right.
    pub x: f32,
    /// From below.
    pub y: f32,
}

impl Point {
    fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// How things are placed.
#[derive(Debug, Clone)]
pub struct Layout {
    axes: Axes,
    /// The sample, with its places. What cannot be told from the centre is not among it.
    sample: Vec<Landmark>,
}

#[derive(Debug, Clone)]
struct Landmark {
    /// In the sample as it was given.
    number: usize,
    reduced: UnitVector,
    at: Point,
}

impl Layout {
    /// Lays a sample out. Takes its number of vectors to the square.
    pub fn of(sample: &[UnitVector]) -> Self {
        let axes = Axes::of(sample);
        let reduced = sample.iter().map(|vector| axes.reduce(vector)).enumerate();
        let (numbers, reduced): (Vec<usize>, Vec<UnitVector>) =
            reduced.filter_map(|(number, reduced)| Some((number, reduced?))).unzip();
        let places = scaled(umap::embed(&reduced));
        let landmark = |((number, reduced), at)| Landmark { number, reduced, at };
        let sample = numbers.into_iter().zip(reduced).zip(places).map(landmark).collect();
        Self { axes, sample }
    }

    /// One as it was laid out before: its axes, and its sample with the places that it had.
    pub fn again(axes: Axes, sample: impl IntoIterator<Item = (UnitVector, Point)>) -> Self {
        let sample = sample.into_iter().enumerate();
        let sample = sample.filter_map(|(number, (vector, at))| {
            Some(Landmark { number, reduced: axes.reduce(&vector)?, at })
        });
        Self { sample: sample.collect(), axes }
    }

    /// What it was laid out along.
    pub fn axes(&self) -> &Axes {
        &self.axes
    }

    /// Those of the sample that have places, by their numbers in it.
    pub fn landmarks(&self) -> impl Iterator<Item = (usize, Point)> {
        self.sample.iter().map(|landmark| (landmark.number, landmark.at))
    }

    /// Where something stands; in the middle where nothing can be told.
    pub fn place(&self, vector: &UnitVector) -> Point {
        let Some(reduced) = self.axes.reduce(vector) else { return Point::default() };
        let mut nearest: Vec<(f32, &UnitVector, Point)> = Vec::with_capacity(AMONG + 1);
        for landmark in &self.sample {
            let cosine = reduced.cosine(&landmark.reduced);
            // So it is with nearly all of them.
            if nearest.get(AMONG - 1).is_some_and(|known| known.0 >= cosine) {
                continue;
            }
            let is_farther = |known: &&(f32, &UnitVector, Point)| known.0 >= cosine;
            let rank = nearest.iter().take_while(is_farther).count();
            if rank < AMONG {
                nearest.insert(rank, (cosine, &landmark.reduced, landmark.at));
                nearest.truncate(AMONG);
            }
        }
        let Some(&(best, likest, centre)) = nearest.first() else { return Point::default() };
        let (mut x, mut y, mut total) = (0.0, 0.0, 0.0);
        for (cosine, _, at) in nearest.iter().filter(|(_, _, at)| at.distance(centre) < REACH) {
            let weight = ((cosine - best) / FADES).exp();
            (x, y, total) = (x + weight * at.x, y + weight * at.y, total + weight);
        }
        let aside = |axis: usize| {
            let component = |vector: &UnitVector| vector.as_slice().get(axis).copied();
            ASIDE * (component(&reduced).unwrap_or(0.0) - component(likest).unwrap_or(0.0))
        };
        Point { x: x / total + aside(0), y: y / total + aside(1) }
    }
}

/// The same within -1 and 1, but for the outermost ones, one in a hundred, which would leave
/// little room for all others.
fn scaled(points: Vec<Point>) -> Vec<Point> {
    let bounds = |along: fn(&Point) -> f32| {
        let mut values: Vec<f32> = points.iter().map(along).collect();
        values.sort_unstable_by(f32::total_cmp);
        let cut = values.len() / 200;
        let least = values.get(cut).copied().unwrap_or(0.0);
        let most = values.iter().rev().nth(cut).copied().unwrap_or(0.0);
        (least, most)
    };
    let ((left, right), (below, above)) = (bounds(|point| point.x), bounds(|point| point.y));
    let half = ((right - left).max(above - below) / 2.0).max(f32::MIN_POSITIVE);
    let within = |value: f32, least: f32, most: f32| {
        ((value - (least + most) / 2.0) / half).clamp(-1.1, 1.1)
    };
    points
        .iter()
        .map(|point| Point { x: within(point.x, left, right), y: within(point.y, below, above) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Layout, Point};
    use crate::embed::UnitVector;

    /// Vectors around each of some directions, and the direction of each.
    fn clusters(count: usize, each: usize) -> Vec<(usize, UnitVector)> {
        let mut random = fastrand::Rng::with_seed(7);
        let mut vectors = Vec::new();
        for cluster in 0..count {
            for _ in 0..each {
                let mut components = vec![0.0; 24];
                components.iter_mut().for_each(|x| *x = 0.15 * (random.f32() - 0.5));
                components[cluster] += 1.0;
                vectors.push((cluster, UnitVector::normalized(&components).unwrap()));
            }
        }
        vectors
    }

    /// Mean distance of pairs within a cluster, and between clusters.
    fn spread(placed: &[(usize, Point)]) -> (f32, f32) {
        let (mut within, mut between) = ((0.0, 0.0), (0.0, 0.0));
        for (cluster, at) in placed {
            for (other, there) in placed {
                let of = if cluster == other { &mut within } else { &mut between };
                *of = (of.0 + at.distance(*there), of.1 + 1.0);
            }
        }
        (within.0 / within.1, between.0 / between.1)
    }

    #[test]
    fn what_is_alike_stands_together_whether_it_was_laid_out_or_came_later() {
        let all = clusters(5, 40);
        let sample: Vec<UnitVector> =
            all.iter().step_by(2).map(|(_, vector)| vector.clone()).collect();
        let layout = Layout::of(&sample);
        for first in [0, 1] {
            let some = all.iter().skip(first).step_by(2);
            let placed: Vec<(usize, Point)> =
                some.map(|(cluster, vector)| (*cluster, layout.place(vector))).collect();
            let (within, between) = spread(&placed);
            assert!(between > 4.0 * within, "{within} within, {between} between");
        }
    }

    #[test]
    fn the_same_vectors_give_the_same_map() {
        let vectors: Vec<UnitVector> = clusters(3, 20).into_iter().map(|(_, it)| it).collect();
        let (one, other) = (Layout::of(&vectors), Layout::of(&vectors));
        assert!(vectors.iter().all(|vector| one.place(vector) == other.place(vector)));
        let sample = one.landmarks().map(|(number, at)| (vectors[number].clone(), at));
        let again = Layout::again(one.axes().clone(), sample);
        assert!(vectors.iter().all(|vector| one.place(vector) == again.place(vector)));
    }

    #[test]
    fn few_vectors_have_finite_places() {
        for count in [0, 1, 2, 3, 5] {
            let vectors: Vec<UnitVector> =
                clusters(3, 2).into_iter().map(|(_, it)| it).take(count).collect();
            let layout = Layout::of(&vectors);
            for (_, vector) in clusters(4, 1) {
                let at = layout.place(&vector);
                assert!(at.x.is_finite() && at.y.is_finite(), "{count}: {at:?}");
            }
        }
    }
}
