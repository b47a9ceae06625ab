use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A vector of length 1, all of it finite: its dot product with another one is the
/// cosine of the angle between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "Vec<f32>", try_from = "Vec<f32>")]
pub struct UnitVector(Arc<[f32]>);

impl From<UnitVector> for Vec<f32> {
    fn from(vector: UnitVector) -> Self {
        vector.0.to_vec()
    }
}

impl TryFrom<Vec<f32>> for UnitVector {
    type Error = &'static str;

    /// Takes the components as they are.
    fn try_from(components: Vec<f32>) -> Result<Self, Self::Error> {
        Self::of_length_one(components.into()).ok_or("its length is not 1")
    }
}

impl UnitVector {
    /// Scales `components` to length 1. `None` if they have no direction: a component
    /// is not finite, or all are zero.
    pub fn normalized(components: &[f32]) -> Option<Self> {
        let square: f64 = components.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        let length = square.sqrt();
        (length.is_finite() && length > 1e-12)
            .then(|| Self(components.iter().map(|&x| (f64::from(x) / length) as f32).collect()))
    }

    /// Where vectors lie on average, each with how much it counts. `None` if there are none or they
    /// have no direction together.
    pub fn mean<'a>(weighted: impl IntoIterator<Item = (&'a Self, f32)>) -> Option<Self> {
        let mut sum: Vec<f32> = Vec::new();
        for (vector, weight) in weighted {
            sum.resize(vector.0.len(), 0.0);
            sum.iter_mut().zip(vector.as_slice()).for_each(|(sum, x)| *sum += weight * x);
        }
        Self::normalized(&sum)
    }

    /// From the little-endian bytes that [`Self::to_bytes`] gave, bit for bit. `None`
    /// if they are not `dimension` finite numbers of length 1.
    pub fn from_bytes(bytes: &[u8], dimension: usize) -> Option<Self> {
        let components: Arc<[f32]> = bytes
            .chunks_exact(4)
            .filter_map(|chunk| Some(f32::from_le_bytes(chunk.try_into().ok()?)))
            .collect();
        let is_whole = bytes.len() == 4 * dimension && components.len() == dimension;
        Self::of_length_one(components).filter(|_| is_whole)
    }

    fn of_length_one(components: Arc<[f32]>) -> Option<Self> {
        let square: f64 = components.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        ((square - 1.0).abs() < 1e-3).then_some(Self(components))
    }

    /// Four little-endian bytes for each component.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|x| x.to_le_bytes()).collect()
    }

    /// The components.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// Cosine of the angle to `other`, -1 to 1; 0 if the dimensions differ.
    pub fn cosine(&self, other: &Self) -> f32 {
        cosine(&self.0, &other.0)
    }
}

/// Dot product of two slices of unit vectors, kept within -1 and 1; 0 if their
/// lengths differ.
pub(crate) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    use simsimd::SpatialSimilarity;
    let dot = <f32 as SpatialSimilarity>::dot(a, b).unwrap_or(0.0);
    (dot as f32).clamp(-1.0, 1.0)
}

/// The vectors of one passage: one for each window that the model saw it through.
#[derive(Debug, Clone, PartialEq)]
pub struct Windows(Vec<UnitVector>);

impl Windows {
    /// `None` without vectors.
    pub fn new(vectors: Vec<UnitVector>) -> Option<Self> {
        (!vectors.is_empty()).then_some(Self(vectors))
    }

    /// The vectors in reading order, at least one.
    pub fn vectors(&self) -> &[UnitVector] {
        &self.0
    }

    /// How alike two passages are: the highest cosine between a window of the one
    /// and a window of the other.
    pub fn cosine(&self, other: &Self) -> f32 {
        let pairs = self.0.iter().flat_map(|a| other.0.iter().map(move |b| a.cosine(b)));
        pairs.fold(-1.0, f32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::UnitVector;

    #[test]
    fn only_vectors_with_a_direction_are_taken() {
        assert!(UnitVector::normalized(&[0.0, 0.0]).is_none());
        assert!(UnitVector::normalized(&[1.0, f32::NAN]).is_none());
        assert!(UnitVector::normalized(&[f32::INFINITY, 1.0]).is_none());
        let vector = UnitVector::normalized(&[3.0, 4.0]).unwrap();
        assert!((vector.cosine(&vector) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn bytes_come_back_bit_for_bit_and_damage_is_noticed() {
        let vector = UnitVector::normalized(&[0.1, -0.7, 0.2]).unwrap();
        let bytes = vector.to_bytes();
        assert_eq!(UnitVector::from_bytes(&bytes, 3), Some(vector));
        assert_eq!(UnitVector::from_bytes(&bytes, 4), None);
        assert_eq!(UnitVector::from_bytes(&[255; 12], 3), None);
        assert_eq!(UnitVector::from_bytes(&bytes[..11], 3), None);
    }
}
