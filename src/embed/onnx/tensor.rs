use super::OnnxError;
use super::proto::{StringStringEntryProto, TensorProto};

/// Codes of element types in the format.
pub(super) const F32: i32 = 1;
pub(super) const INT8: i32 = 3;

/// The value of `data_location` for tensors in other files.
const EXTERNAL: i32 = 1;

/// Brings the two ways of writing numbers that are read here to one: little-endian
/// bytes.
pub(super) fn normalized(mut tensor: TensorProto) -> Result<TensorProto, OnnxError> {
    if tensor.data_location == EXTERNAL {
        return Err(OnnxError::External);
    }
    if tensor.raw_data.is_empty() {
        match tensor.data_type {
            F32 => {
                let floats = std::mem::take(&mut tensor.float_data);
                tensor.raw_data = floats.iter().flat_map(|x| x.to_le_bytes()).collect();
            }
            INT8 => {
                let integers = std::mem::take(&mut tensor.int32_data);
                tensor.raw_data = integers.iter().map(|&x| x as i8 as u8).collect();
            }
            _ => {}
        }
    }
    let width = match tensor.data_type {
        F32 => 4,
        INT8 => 1,
        _ => return Ok(tensor),
    };
    if elements(&tensor).and_then(|count| count.checked_mul(width)) != Some(tensor.raw_data.len()) {
        return Err(OnnxError::Unreadable(format!(
            "{:?} has another size than it says",
            tensor.name
        )));
    }
    Ok(tensor)
}

fn elements(tensor: &TensorProto) -> Option<usize> {
    let mut dimensions = tensor.dims.iter();
    dimensions.try_fold(1_usize, |product, &size| product.checked_mul(size.try_into().ok()?))
}

/// The numbers of a tensor in single precision, or nothing if they are of another type.
pub(super) fn floats(tensor: &TensorProto) -> Option<Vec<f32>> {
    let chunks = tensor.raw_data.chunks_exact(4);
    (tensor.data_type == F32)
        .then(|| chunks.filter_map(|it| Some(f32::from_le_bytes(it.try_into().ok()?))).collect())
}

/// The numbers of a tensor of small integers, or nothing if they are of another type.
pub(super) fn integers(tensor: &TensorProto) -> Option<Vec<i8>> {
    (tensor.data_type == INT8).then(|| tensor.raw_data.iter().map(|&byte| byte as i8).collect())
}

/// Rows and columns of a matrix, or nothing if the tensor is none.
pub(super) fn matrix(tensor: &TensorProto) -> Option<(usize, usize)> {
    match tensor.dims.as_slice() {
        &[rows, columns] => Some((rows.try_into().ok()?, columns.try_into().ok()?)),
        _ => None,
    }
}

pub(super) fn of_floats(name: &str, dims: Vec<i64>, numbers: &[f32]) -> TensorProto {
    let raw_data = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    TensorProto { name: name.to_owned(), dims, data_type: F32, raw_data, ..TensorProto::default() }
}

pub(super) fn of_integers(name: &str, dims: Vec<i64>, numbers: &[i8]) -> TensorProto {
    let raw_data = numbers.iter().map(|&x| x as u8).collect();
    TensorProto { name: name.to_owned(), dims, data_type: INT8, raw_data, ..TensorProto::default() }
}

/// Bytes of the numbers of a tensor.
pub(super) fn bytes(tensor: &TensorProto) -> usize {
    tensor.raw_data.len()
}

/// Drops the numbers of a tensor and says that they come from elsewhere.
pub(super) fn leave_out(tensor: &mut TensorProto) {
    tensor.raw_data = Vec::new();
    tensor.data_location = EXTERNAL;
    tensor.external_data = vec![StringStringEntryProto {
        key: "location".to_owned(),
        value: "given with the session".to_owned(),
    }];
}
