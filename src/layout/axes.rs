use serde::{Deserialize, Serialize};

use crate::embed::UnitVector;

/// Components that are left: most of what tells news apart, at an eighth of the work.
const KEPT: usize = 48;

/// Rounds of subspace iteration. The later axes need not be exact.
const ROUNDS: usize = 8;

/// The directions in which vectors differ most (principal components).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Axes {
    centre: Vec<f32>,
    axes: Vec<UnitVector>,
}

impl Axes {
    /// By subspace iteration, from directions that are always the same.
    pub(super) fn of(vectors: &[UnitVector]) -> Self {
        let dimension = vectors.first().map_or(0, |vector| vector.as_slice().len());
        let mut centre = vec![0.0_f32; dimension];
        for vector in vectors {
            add(&mut centre, vector.as_slice(), 1.0 / vectors.len() as f32);
        }
        let mut random = fastrand::Rng::with_seed(0);
        let any = |_| (0..dimension).map(|_| random.f32() - 0.5).collect();
        let mut axes = orthogonal((0..KEPT.min(dimension)).map(any).collect());
        for _ in 0..ROUNDS {
            let mut next = vec![vec![0.0_f32; dimension]; axes.len()];
            for vector in vectors {
                let centred: Vec<f32> = difference(vector.as_slice(), &centre);
                for (axis, next) in axes.iter().zip(&mut next) {
                    add(next, &centred, dot(axis.as_slice(), &centred));
                }
            }
            axes = orthogonal(next);
        }
        Self { centre, axes }
    }

    /// A vector along these axes. `None` if it does not differ from the centre along any.
    pub(super) fn reduce(&self, vector: &UnitVector) -> Option<UnitVector> {
        let centred = difference(vector.as_slice(), &self.centre);
        let along: Vec<f32> = self.axes.iter().map(|axis| dot(axis.as_slice(), &centred)).collect();
        UnitVector::normalized(&along)
    }
}

/// The same space, by vectors at right angles (Gram-Schmidt). Directions that are not there are
/// left out.
fn orthogonal(directions: Vec<Vec<f32>>) -> Vec<UnitVector> {
    let mut found: Vec<UnitVector> = Vec::with_capacity(directions.len());
    for mut direction in directions {
        let before = dot(&direction, &direction);
        for known in &found {
            let along = dot(known.as_slice(), &direction);
            add(&mut direction, known.as_slice(), -along);
        }
        let is_there = dot(&direction, &direction) > 1e-8 * before;
        found.extend(UnitVector::normalized(&direction).filter(|_| is_there));
    }
    found
}

fn dot(one: &[f32], other: &[f32]) -> f32 {
    use simsimd::SpatialSimilarity;
    <f32 as SpatialSimilarity>::dot(one, other).unwrap_or(0.0) as f32
}

fn add(to: &mut [f32], what: &[f32], times: f32) {
    to.iter_mut().zip(what).for_each(|(to, x)| *to += times * x);
}

fn difference(one: &[f32], other: &[f32]) -> Vec<f32> {
    one.iter().zip(other).map(|(x, y)| x - y).collect()
}

#[cfg(test)]
mod tests {
    use super::Axes;
    use crate::embed::UnitVector;

    #[test]
    fn the_first_axis_is_where_vectors_differ_most() {
        let of = |x: f32, y: f32| UnitVector::normalized(&[x, y, 1.0]).unwrap();
        let vectors: Vec<UnitVector> =
            (-5..=5).flat_map(|x| [of(x as f32, 0.1), of(x as f32, -0.1)]).collect();
        let axes = Axes::of(&vectors);
        let first = axes.axes[0].as_slice();
        assert!(first[0].abs() > 0.9 && first[1].abs() < 0.1, "{first:?}");
    }
}
