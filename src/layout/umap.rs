//! UMAP (McInnes, Healy and Melville, arXiv:1802.03426): neighbours attract each other as
//! strongly as they are near, and push away whom they meet by chance.

use crate::embed::UnitVector;

use super::Point;

/// Neighbours of each.
const NEIGHBOURS: usize = 15;

/// How attraction falls with distance: what the paper's `min_dist` of .1 comes to.
const A: f32 = 1.577;
const B: f32 = 0.895;

/// Times that the strongest pair is looked at.
const EPOCHS: usize = 400;

/// Chance meetings for each look at a pair.
const MEETINGS: usize = 5;

/// How far anything moves at once.
const STEP: f32 = 4.0;

/// Side of the square in which all begin.
const BEGIN: f32 = 10.0;

/// Two that are neighbours, and how much: 0 to 1.
struct Pair {
    one: usize,
    other: usize,
    strength: f32,
}

/// Places for vectors, in their order.
pub(super) fn embed(vectors: &[UnitVector]) -> Vec<Point> {
    let pairs = neighbours(vectors);
    let mut points = begin(vectors);
    let mut random = fastrand::Rng::with_seed(0);
    for epoch in 0..EPOCHS {
        let rate = 1.0 - epoch as f32 / EPOCHS as f32;
        for Pair { one, other, strength } in &pairs {
            // Weak pairs are looked at as seldom as they are weak.
            if random.f32() >= *strength {
                continue;
            }
            attract(&mut points, *one, *other, rate);
            for _ in 0..MEETINGS {
                let met = random.usize(..points.len());
                repel(&mut points, *one, met, rate);
            }
        }
    }
    points
}

/// Along the first two axes.
fn begin(vectors: &[UnitVector]) -> Vec<Point> {
    let along = |vector: &UnitVector, axis: usize| {
        BEGIN * vector.as_slice().get(axis).copied().unwrap_or(0.0)
    };
    vectors.iter().map(|vector| Point { x: along(vector, 0), y: along(vector, 1) }).collect()
}

/// Pairs of neighbours, each in both directions.
fn neighbours(vectors: &[UnitVector]) -> Vec<Pair> {
    let count = NEIGHBOURS.min(vectors.len().saturating_sub(1));
    let mut strengths = std::collections::BTreeMap::new();
    for (one, vector) in vectors.iter().enumerate() {
        let others = vectors.iter().enumerate().filter(|(other, _)| *other != one);
        let mut distances: Vec<(f32, usize)> =
            others.map(|(other, there)| (1.0 - vector.cosine(there), other)).collect();
        let nearer = |(a, x): &(f32, usize), (b, y): &(f32, usize)| a.total_cmp(b).then(x.cmp(y));
        if count < distances.len() {
            distances.select_nth_unstable_by(count, nearer);
            distances.truncate(count);
        }
        distances.sort_unstable_by(nearer);
        for (other, strength) in memberships(&distances) {
            strengths.insert((one, other), strength);
        }
    }
    // As two are neighbours if either says so: the probabilistic sum.
    let mut pairs = Vec::new();
    for (&(one, other), &strength) in &strengths {
        let back = strengths.get(&(other, one)).copied();
        let strength = strength + back.unwrap_or(0.0) - strength * back.unwrap_or(0.0);
        pairs.push(Pair { one, other, strength });
        if back.is_none() {
            pairs.push(Pair { one: other, other: one, strength });
        }
    }
    pairs
}

/// How much each is a neighbour, the nearest wholly; the width is such that all together come to
/// the same everywhere (section 3.1 of the paper).
fn memberships(distances: &[(f32, usize)]) -> Vec<(usize, f32)> {
    let Some(&(nearest, _)) = distances.first() else { return Vec::new() };
    let wanted = (distances.len() as f32).log2().max(1.0);
    let strength = |distance: f32, width: f32| (-(distance - nearest).max(0.0) / width).exp();
    let (mut least, mut most) = (1e-4_f32, 4.0_f32);
    for _ in 0..32 {
        let middle = (least * most).sqrt();
        let sum: f32 = distances.iter().map(|(distance, _)| strength(*distance, middle)).sum();
        if sum > wanted { most = middle } else { least = middle }
    }
    distances.iter().map(|(distance, other)| (*other, strength(*distance, most))).collect()
}

fn attract(points: &mut [Point], one: usize, other: usize, rate: f32) {
    let Some((dx, dy, square)) = between(points, one, other).filter(|it| it.2 > 0.0) else {
        return;
    };
    let force = -2.0 * A * B * square.powf(B - 1.0) / (1.0 + A * square.powf(B));
    shift(points, one, force * dx, force * dy, rate);
    shift(points, other, -force * dx, -force * dy, rate);
}

fn repel(points: &mut [Point], one: usize, met: usize, rate: f32) {
    let Some((dx, dy, square)) = between(points, one, met).filter(|_| one != met) else { return };
    // Those at the very same place have no direction away from each other; any will do.
    let (dx, dy) = if square > 0.0 { (dx, dy) } else { (STEP, STEP) };
    let force = 2.0 * B / ((0.001 + square) * (1.0 + A * square.powf(B)));
    shift(points, one, force * dx, force * dy, rate);
}

/// The way from `other` to `one`, and its square.
fn between(points: &[Point], one: usize, other: usize) -> Option<(f32, f32, f32)> {
    let (one, other) = (points.get(one)?, points.get(other)?);
    let (dx, dy) = (one.x - other.x, one.y - other.y);
    Some((dx, dy, dx * dx + dy * dy))
}

fn shift(points: &mut [Point], which: usize, dx: f32, dy: f32, rate: f32) {
    if let Some(point) = points.get_mut(which) {
        point.x += rate * dx.clamp(-STEP, STEP);
        point.y += rate * dy.clamp(-STEP, STEP);
    }
}
