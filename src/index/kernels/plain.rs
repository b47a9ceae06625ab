use super::Query;

pub fn plain<'a>(rows: impl Iterator<Item = &'a [u8]>, query: Query<'_>, products: &mut Vec<i32>) {
    products.extend(rows.map(|row| {
        if row.len() != query.codes.len() {
            return i32::MIN;
        }
        let products = row.iter().zip(query.codes).map(|(&a, &b)| i32::from(a) * i32::from(b));
        products.sum::<i32>() - query.offset
    }));
}

pub fn signed(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}
