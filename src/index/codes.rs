use super::kernels::{LINE, Query, Rows};

/// Highest absolute value of a code.
const HIGHEST: f32 = 127.0;

/// How much larger than the largest component so far one may come without being cut.
const HEADROOM: f32 = 1.25;

/// How components become whole numbers: codes for a component of 1. One scale for a whole
/// segment, so that products compare without being multiplied out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale(f32);

impl Scale {
    /// For components of at most `highest`, absolute; larger ones are cut to it.
    pub fn for_highest(highest: f32) -> Self {
        Self(HIGHEST / highest.clamp(1e-6, 1.0))
    }

    /// From what [`Self::get`] gave. `None` if it cannot be that.
    pub fn new(codes_per_unit: f32) -> Option<Self> {
        (codes_per_unit.is_finite() && codes_per_unit >= HIGHEST).then_some(Self(codes_per_unit))
    }

    /// Codes for a component of 1.
    pub fn get(self) -> f32 {
        self.0
    }

    /// For a vector and others like it: larger components may come.
    pub fn with_room_for(vector: &[f32]) -> Self {
        Self::for_highest(HEADROOM * highest(vector))
    }

    /// Whether no component of a vector would be cut.
    pub fn fits(self, vector: &[f32]) -> bool {
        highest(vector) * self.0 <= HIGHEST + 0.5
    }

    /// Appends the row of a vector, filled up to a whole number of lines.
    pub fn encode(self, vector: &[f32], rows: &mut Vec<u8>) {
        let end = rows.len() + stride_of(vector.len());
        rows.extend(vector.iter().map(|&x| (code(x * self.0) + 128) as u8));
        rows.resize(end, 128);
    }
}

/// Bytes of a row for vectors of `dimension` components.
pub fn stride_of(dimension: usize) -> usize {
    dimension.next_multiple_of(LINE)
}

/// The highest absolute value of a component. Sixteen at a time, so that none waits for the
/// one before.
fn highest(vector: &[f32]) -> f32 {
    let (lines, rest) = vector.as_chunks::<16>();
    let mut highest = [0.0_f32; 16];
    for line in lines {
        for (highest, x) in highest.iter_mut().zip(line) {
            *highest = highest.max(x.abs());
        }
    }
    highest.iter().chain(rest).fold(0.0, |highest, x| highest.max(x.abs()))
}

/// Rounded, halves away from zero.
fn code(scaled: f32) -> i32 {
    (scaled + 0.5_f32.copysign(scaled)).clamp(-HIGHEST, HIGHEST) as i32
}

/// A query in whole numbers.
#[derive(Debug, Clone, Default)]
pub struct QueryCodes {
    codes: Vec<i8>,
    offset: i32,
    /// What one unit of a product with it is worth as a cosine.
    unit: f32,
    /// How far off a cosine may be by rounding: three standard deviations.
    margin: f32,
}

impl QueryCodes {
    /// Of a vector of length 1, for rows in `scale`.
    ///
    /// Rounding errors are spread evenly over a step, so their variance is a twelfth of its
    /// square (Widrow and Kollár, "Quantization Noise", 2008, chapter 5); in a product with
    /// a vector of length 1 it stays that.
    pub fn set(&mut self, vector: &[f32], scale: Scale) {
        let own = Scale::for_highest(highest(vector));
        self.codes.clear();
        self.codes.extend(vector.iter().map(|&x| code(x * own.0) as i8));
        self.codes.resize(stride_of(vector.len()), 0);
        self.finish();
        self.unit = 1.0 / (own.0 * scale.0);
        let variance = (own.0.powi(-2) + scale.0.powi(-2)) / 12.0;
        self.margin = 3.0 * variance.sqrt();
    }

    /// Of a stored row: the codes are the same, but signed.
    pub fn set_row(&mut self, row: &[u8], scale: Scale) {
        self.codes.clear();
        self.codes.extend(row.iter().map(|&code| (code ^ 0x80) as i8));
        self.finish();
        self.unit = scale.0.powi(-2);
        self.margin = 3.0 * (scale.0.powi(-2) / 6.0).sqrt();
    }

    /// A stored row with signed components.
    pub fn signed(row: &[u8]) -> Vec<i8> {
        row.iter().map(|&code| (code ^ 0x80) as i8).collect()
    }

    fn finish(&mut self) {
        self.offset = 128 * self.codes.iter().map(|&code| i32::from(code)).sum::<i32>();
    }

    pub fn query(&self) -> Query<'_> {
        Query { codes: &self.codes, offset: self.offset }
    }

    /// A product as a cosine.
    pub fn cosine(&self, product: i32) -> f32 {
        product as f32 * self.unit
    }

    /// How much less than another one a product may be, and its cosine greater.
    pub fn slack(&self) -> i32 {
        (2.0 * self.margin / self.unit).ceil() as i32
    }

    /// The highest cosine that may stand behind a product.
    pub fn at_most(&self, product: i32) -> f32 {
        self.cosine(product) + self.margin
    }
}

/// Rows that are being put together.
#[derive(Debug, Clone)]
pub struct Codes {
    bytes: Vec<u8>,
    stride: usize,
    pub scale: Scale,
}

impl Codes {
    pub fn new(dimension: usize, scale: Scale) -> Self {
        Self { bytes: Vec::new(), stride: stride_of(dimension), scale }
    }

    pub fn push(&mut self, vector: &[f32]) {
        self.scale.encode(vector, &mut self.bytes);
    }

    /// Adds a row that is encoded already, in the same scale.
    pub fn push_row(&mut self, row: &[u8]) {
        self.bytes.extend_from_slice(row);
    }

    pub fn rows(&self) -> Rows<'_> {
        Rows { codes: &self.bytes, stride: self.stride }
    }

    /// The same rows in another order: `order` says which one comes where.
    pub fn reordered(&self, order: &[u32]) -> Self {
        let mut bytes = Vec::with_capacity(order.len() * self.stride);
        for &row in order {
            bytes.extend_from_slice(self.rows().row(row));
        }
        Self { bytes, ..*self }
    }
}
