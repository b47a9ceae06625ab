//! The rules of rewriting. Each looks for one pattern and puts another one with the
//! same meaning in its place; what does not match stays as it is.

use std::collections::{HashMap, HashSet};

use super::OnnxError;
use super::graph::{Graph, Links, RUNTIME_DOMAIN, cast_to_f32, node};
use super::proto::NodeProto;
use super::tensor;

/// The input that says which tokens are padding.
const MASK: &str = "attention_mask";

/// Largest magnitude of a quantised weight: the range is symmetric, so that zero is
/// exactly representable and no offset is needed.
const LARGEST: f32 = 127.0;

/// Weights must be finite, and so must their scales.
pub(super) fn check_weights(graph: &Graph) -> Result<(), OnnxError> {
    let is_finite = |tensor: &_| {
        // Masks are filled with the lowest number, which is finite; constants of one
        // number may be infinite for the same purpose.
        let numbers = tensor::floats(tensor).unwrap_or_default();
        let may_be_infinite = numbers.len() == 1;
        numbers.iter().all(|x| x.is_finite() || (may_be_infinite && !x.is_nan()))
    };
    match graph.constants().find(|tensor| !is_finite(tensor)) {
        Some(tensor) => Err(OnnxError::NotFinite(tensor.name.clone())),
        None => Ok(()),
    }
}

/// A matrix of weights as the graph holds it.
enum Weights {
    /// Constants: small integers, and the factor of each column or row.
    Packed { integers: String, scales: String },
    /// A constant in single precision.
    Plain,
}

impl Weights {
    /// What stands behind a value, if it is a matrix of weights.
    fn behind(graph: &Graph, links: &Links, value: &str) -> Option<Self> {
        if let Some(constant) = graph.constant(value) {
            tensor::matrix(constant)?;
            return (constant.data_type == tensor::F32).then_some(Self::Plain);
        }
        let origin = graph.nodes().get(links.origin(value)?)?;
        let (integers, scales) = match (origin.op_type.as_str(), origin.input.as_slice()) {
            ("Mul", [a, b]) => {
                let cast = [(a, b), (b, a)].into_iter().find_map(|(cast, scales)| {
                    let cast = graph.nodes().get(links.origin(cast)?)?;
                    (cast.op_type == "Cast").then(|| Some((cast.input.first()?, scales))).flatten()
                });
                cast?
            }
            // Along columns, which is the default.
            ("DequantizeLinear", [integers, scales])
                if origin
                    .attribute
                    .iter()
                    .all(|it| it.name == "axis" && matches!(it.i, 1 | -1)) =>
            {
                (integers, scales)
            }
            _ => return None,
        };
        let constant = graph.constant(integers)?;
        tensor::matrix(constant)?;
        tensor::floats(graph.constant(scales)?)?;
        (constant.data_type == tensor::INT8)
            .then(|| Self::Packed { integers: integers.clone(), scales: scales.clone() })
    }
}

/// Whether `scales` has one number for each column of a matrix, and none else.
fn is_for_columns(graph: &Graph, scales: &str, columns: usize) -> bool {
    let dims = graph.constant(scales).map_or(&[][..], |tensor| tensor.dims.as_slice());
    let columns = columns as i64;
    dims == [1, columns] || dims == [columns]
}

/// Looks rows up in a table of small integers and scales these, instead of scaling the
/// whole table and looking rows up in that: the same numbers, from a quarter of the
/// memory.
pub(super) fn look_up_small_rows(graph: &mut Graph) {
    let links = graph.links();
    let mut replacements = HashMap::new();
    for (index, gather) in graph.nodes().iter().enumerate() {
        let ("Gather", [table, ids]) = (gather.op_type.as_str(), gather.input.as_slice()) else {
            continue;
        };
        let Some(Weights::Packed { integers, scales }) = Weights::behind(graph, &links, table)
        else {
            continue;
        };
        let size = graph.constant(&integers).and_then(tensor::matrix);
        let is_for_rows = size.is_some_and(|(rows, _)| {
            graph.constant(&scales).is_some_and(|scales| scales.dims == [rows as i64, 1])
        });
        let along_rows = gather.attribute.iter().all(|it| it.name != "axis" || it.i == 0);
        if !is_for_rows || !along_rows {
            continue;
        }
        let Some(output) = gather.output.first() else { continue };
        let [rows, numbers, factors] =
            ["rows", "numbers", "factors"].map(|it| format!("{output}/{it}"));
        let nodes = vec![
            node("Gather", &[&integers, ids], &[&rows]),
            cast_to_f32(&rows, &numbers),
            node("Gather", &[&scales, ids], &[&factors]),
            node("Mul", &[&numbers, &factors], &[output]),
        ];
        replacements.insert(index, nodes);
    }
    graph.replace(replacements);
}

/// The products with weights: index of the node, the value that is multiplied, and the
/// name of the weights.
fn products(graph: &Graph) -> impl Iterator<Item = (usize, &NodeProto, &str, &str)> {
    graph.nodes().iter().enumerate().filter_map(|(index, product)| {
        match (product.op_type.as_str(), product.input.as_slice()) {
            ("MatMul", [value, weights]) => {
                Some((index, product, value.as_str(), weights.as_str()))
            }
            _ => None,
        }
    })
}

/// Writes weights that are stored as small integers out in single precision, with the
/// multiplication that the graph would do.
pub(super) fn unpack_weights(graph: &mut Graph) {
    let links = graph.links();
    let packed: Vec<(String, String, String)> = products(graph)
        .filter_map(|(_, _, _, name)| match Weights::behind(graph, &links, name)? {
            Weights::Packed { integers, scales } => Some((name.to_owned(), integers, scales)),
            Weights::Plain => None,
        })
        .collect();
    let mut unpacked = HashMap::new();
    for (name, integers, scales) in packed {
        let Some(tensor) = unpack(graph, &name, &integers, &scales) else { continue };
        graph.add(tensor);
        if let Some(index) = links.origin(&name) {
            unpacked.insert(index, Vec::new());
        }
    }
    graph.replace(unpacked);
}

fn unpack(
    graph: &Graph,
    name: &str,
    integers: &str,
    scales: &str,
) -> Option<super::proto::TensorProto> {
    let integers = graph.constant(integers)?;
    let (_, columns) = tensor::matrix(integers)?;
    if !is_for_columns(graph, scales, columns) {
        return None;
    }
    let scales = tensor::floats(graph.constant(scales)?)?;
    let numbers = tensor::integers(integers)?;
    let product = numbers.iter().zip(scales.iter().cycle());
    let product: Vec<f32> = product.map(|(&number, &scale)| f32::from(number) * scale).collect();
    Some(tensor::of_floats(name, integers.dims.clone(), &product))
}

/// Multiplies with weights in integers: the value is quantised to 8 bits as a whole
/// (`DynamicQuantizeLinear`), multiplied with the stored integers
/// (`MatMulInteger`), and scaled back. Weights in single precision are quantised
/// first, each column to its own largest magnitude. Fails where there is nothing to
/// multiply so.
pub(super) fn multiply_integers(graph: &mut Graph) -> Result<(), OnnxError> {
    let links = graph.links();
    let mut replacements = HashMap::new();
    let mut quantised = Vec::new();
    for (index, product, value, weights) in products(graph) {
        let Some(output) = product.output.first() else { continue };
        let names = match Weights::behind(graph, &links, weights) {
            Some(Weights::Packed { integers, scales }) => {
                let size = graph.constant(&integers).and_then(tensor::matrix);
                size.filter(|&(_, columns)| is_for_columns(graph, &scales, columns))
                    .map(|_| (integers, scales))
            }
            Some(Weights::Plain) => {
                let names = (format!("{weights}/integers"), format!("{weights}/scales"));
                quantised.push((weights.to_owned(), names.clone()));
                Some(names)
            }
            None => None,
        };
        let Some((integers, scales)) = names else { continue };
        // Named by the value, so that products of one value share its quantisation.
        let [whole, scale, zero] = ["whole", "scale", "zero"].map(|it| format!("{value}/{it}"));
        let [sums, numbers, factors] =
            ["sums", "numbers", "factors"].map(|it| format!("{output}/{it}"));
        let mut nodes = Vec::new();
        if !replacements.values().flatten().any(|it: &NodeProto| it.output.contains(&whole)) {
            nodes.push(node("DynamicQuantizeLinear", &[value], &[&whole, &scale, &zero]));
        }
        nodes.push(node("MatMulInteger", &[&whole, &integers, &zero], &[&sums]));
        nodes.push(cast_to_f32(&sums, &numbers));
        nodes.push(node("Mul", &[&scale, &scales], &[&factors]));
        nodes.push(node("Mul", &[&numbers, &factors], &[output]));
        replacements.insert(index, nodes);
    }
    if replacements.is_empty() {
        return Err(OnnxError::NoProducts);
    }
    for (weights, (integers, scales)) in quantised {
        quantise_columns(graph, &weights, &integers, &scales);
    }
    graph.replace(replacements);
    Ok(())
}

/// Adds a matrix as small integers with one scale for each column.
fn quantise_columns(graph: &mut Graph, weights: &str, integers: &str, scales: &str) {
    let Some(tensor) = graph.constant(weights) else { return };
    let (Some((_, columns)), Some(numbers)) = (tensor::matrix(tensor), tensor::floats(tensor))
    else {
        return;
    };
    let dims = tensor.dims.clone();
    let mut largest = vec![0.0_f32; columns];
    for row in numbers.chunks(columns.max(1)) {
        largest.iter_mut().zip(row).for_each(|(largest, x)| *largest = largest.max(x.abs()));
    }
    // A column of zeros stays one with any scale.
    let factors: Vec<f32> =
        largest.iter().map(|&x| if x > 0.0 { x / LARGEST } else { 1.0 }).collect();
    let rounded = numbers
        .iter()
        .zip(factors.iter().cycle())
        .map(|(x, factor)| (x / factor).round_ties_even().clamp(-LARGEST, LARGEST) as i8);
    let rounded: Vec<i8> = rounded.collect();
    graph.add(tensor::of_integers(integers, dims, &rounded));
    graph.add(tensor::of_floats(scales, vec![columns as i64], &factors));
}

/// Puts the runtime's own operator in place of the Gaussian error linear unit
/// x * 0.5 * (1 + erf(x / sqrt 2)) (Hendrycks and Gimpel, "Gaussian Error Linear
/// Units", 2016, section 2), in whatever order its factors are multiplied.
pub(super) fn fuse_gelu(graph: &mut Graph) {
    let links = graph.links();
    let mut replacements = HashMap::new();
    for erf in graph.nodes().iter().filter(|node| node.op_type == "Erf") {
        if let Some((index, input, output)) = gelu_around(graph, &links, erf) {
            let gelu = node("Gelu", &[&input], &[&output]);
            let gelu = NodeProto { domain: RUNTIME_DOMAIN.to_owned(), ..gelu };
            replacements.insert(index, vec![gelu]);
        }
    }
    graph.replace(replacements);
}

/// The last node of the unit that an error function is part of, its input and its
/// output.
fn gelu_around(graph: &Graph, links: &Links, erf: &NodeProto) -> Option<(usize, String, String)> {
    let scaled = graph.nodes().get(links.origin(erf.input.first()?)?)?;
    let (input, divisor) = match (scaled.op_type.as_str(), scaled.input.as_slice()) {
        ("Div", [input, by]) => (input, graph.scalar(by)?),
        ("Mul", [input, by]) => (input, 1.0 / graph.scalar(by)?),
        _ => return None,
    };
    let sum = only_user(graph, links, erf.output.first()?, "Add")?;
    let one = other(graph.nodes().get(sum)?, erf.output.first()?)?;
    if (divisor - std::f32::consts::SQRT_2).abs() > 1e-4 || graph.scalar(one)? != 1.0 {
        return None;
    }
    // Up the products, until both the input and the half are among the factors.
    let (mut has_input, mut has_half) = (false, false);
    let mut last = sum;
    while !(has_input && has_half) {
        let value = graph.nodes().get(last)?.output.first()?;
        last = only_user(graph, links, value, "Mul")?;
        let factor = other(graph.nodes().get(last)?, value)?;
        let halved = || {
            let product = graph.nodes().get(links.origin(factor)?)?;
            let half = other(product, input).filter(|_| product.op_type == "Mul")?;
            graph.scalar(half).filter(|&half| half == 0.5)
        };
        if factor == input && !has_input {
            has_input = true;
        } else if graph.scalar(factor) == Some(0.5) && !has_half {
            has_half = true;
        } else if halved().is_some() && !has_input && !has_half {
            (has_input, has_half) = (true, true);
        } else {
            return None;
        }
    }
    Some((last, input.clone(), graph.nodes().get(last)?.output.first()?.clone()))
}

/// Index of the node that alone uses a value, if it is of that kind.
fn only_user(graph: &Graph, links: &Links, value: &str, op: &str) -> Option<usize> {
    let &[user] = links.users(value) else { return None };
    (graph.nodes().get(user)?.op_type == op).then_some(user)
}

/// The other one of a node's two inputs.
fn other<'a>(node: &'a NodeProto, input: &str) -> Option<&'a String> {
    match node.input.as_slice() {
        [a, b] if a == input => Some(b),
        [a, b] if b == input => Some(a),
        _ => None,
    }
}

/// Removes the replacement of what is not a number: a softmax over at least one finite
/// number gives none, and a vector that is not finite is refused in the end.
pub(super) fn drop_guards(graph: &mut Graph) {
    let links = graph.links();
    let outputs: HashSet<String> = graph.outputs().map(str::to_owned).collect();
    let is_softmax = |value: &str| {
        let origin = links.origin(value).and_then(|index| graph.nodes().get(index));
        origin.is_some_and(|origin| origin.op_type == "Softmax")
    };
    let guarded = |guard: &NodeProto| {
        let ("Where", [test, _, value]) = (guard.op_type.as_str(), guard.input.as_slice()) else {
            return None;
        };
        let test = graph.nodes().get(links.origin(test)?)?;
        let output = guard.output.first().filter(|it| !outputs.contains(*it))?;
        (test.op_type == "IsNaN" && test.input.first() == Some(value) && is_softmax(value))
            .then(|| (output.clone(), value.clone()))
    };
    let pairs: Vec<_> = graph.nodes().iter().filter_map(guarded).collect();
    for (guard, value) in pairs {
        graph.rename(&guard, &value);
    }
    graph.drop_unused();
}

/// Removes what is added before a softmax for the sake of padding: without padding it is
/// zero. It is told by where it comes from: the mask, shapes and constants only.
pub(super) fn drop_masks(graph: &mut Graph) {
    let from_mask = values_of_mask(graph);
    let links = graph.links();
    let unmasked = |softmax: &NodeProto| {
        let masked = softmax.input.first().filter(|_| softmax.op_type == "Softmax")?;
        let sum = graph.nodes().get(links.origin(masked)?)?;
        let value = match (sum.op_type.as_str(), sum.input.as_slice()) {
            ("Add", [value, mask]) | ("Add", [mask, value]) if from_mask.contains(mask) => value,
            _ => return None,
        };
        Some((masked.clone(), value.clone()))
    };
    let pairs: Vec<_> = graph.nodes().iter().filter_map(unmasked).collect();
    for (masked, value) in pairs {
        graph.rename(&masked, &value);
    }
    graph.drop_unused();
}

/// The values that depend on the mask, and on nothing else but shapes and constants.
fn values_of_mask(graph: &Graph) -> HashSet<String> {
    let mut from_mask: HashSet<&str> = HashSet::from([MASK]);
    let mut neutral: HashSet<&str> = graph.constants().map(|it| it.name.as_str()).collect();
    for node in graph.nodes() {
        let is_known = |input: &String| {
            input.is_empty()
                || from_mask.contains(input.as_str())
                || neutral.contains(input.as_str())
        };
        let outputs = node.output.iter().map(String::as_str);
        if node.op_type == "Shape" {
            neutral.extend(outputs);
        } else if node.input.iter().all(is_known) {
            let is_mask = node.input.iter().any(|input| from_mask.contains(input.as_str()));
            if is_mask { from_mask.extend(outputs) } else { neutral.extend(outputs) }
        }
    }
    from_mask.into_iter().map(str::to_owned).collect()
}

/// Operators whose products are integers already.
const INTEGER_PRODUCTS: [&str; 8] = [
    "MatMulInteger",
    "QLinearMatMul",
    "DynamicQuantizeMatMul",
    "MatMulIntegerToFloat",
    "QAttention",
    "QGemm",
    "MatMulNBits",
    "ConvInteger",
];

/// Whether the graph multiplies integers as it is.
pub(super) fn multiplies_integers(graph: &Graph) -> bool {
    graph.nodes().iter().any(|node| INTEGER_PRODUCTS.contains(&node.op_type.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::graph::{Graph, node};
    use super::super::tensor;
    use super::*;

    const NUMBERS: [f32; 6] = [0.5, -2.0, 0.0, 1.0, 4.0, 0.0];

    fn graph(output: &str) -> Graph {
        let weights = tensor::of_floats("weights", vec![2, 3], &NUMBERS);
        Graph::of_product("value", weights, output)
    }

    fn operators(graph: &Graph) -> Vec<&str> {
        graph.nodes().iter().map(|node| node.op_type.as_str()).collect()
    }

    /// A graph of these nodes after the product, with some constants of one number.
    fn chain(nodes: Vec<NodeProto>) -> Graph {
        let mut graph = graph("product");
        for (name, number) in
            [("half", 0.5), ("one", 1.0), ("root", std::f32::consts::SQRT_2), ("third", 0.3)]
        {
            graph.add(tensor::of_floats(name, vec![], &[number]));
        }
        graph.append(nodes);
        graph
    }

    #[test]
    fn weights_are_quantised_by_column_and_values_once_for_all_products() {
        let mut graph = graph("product");
        graph.append(vec![
            node("MatMul", &["value", "weights"], &["again"]),
            node("Add", &["product", "again"], &["result"]),
        ]);
        multiply_integers(&mut graph).unwrap();
        assert_eq!(
            operators(&graph),
            [
                "DynamicQuantizeLinear",
                "MatMulInteger",
                "Cast",
                "Mul",
                "Mul",
                "MatMulInteger",
                "Cast",
                "Mul",
                "Mul",
                "Add"
            ]
        );
        let integers = tensor::integers(graph.constant("weights/integers").unwrap()).unwrap();
        // Each column's largest magnitude is 127; a column of zeros stays one.
        assert_eq!(integers, [64, -64, 0, 127, 127, 0]);
        let scales = tensor::floats(graph.constant("weights/scales").unwrap()).unwrap();
        assert_eq!(scales, [1.0 / 127.0, 4.0 / 127.0, 1.0]);
        assert!(graph.constant("weights").is_none());
    }

    #[test]
    fn packed_weights_are_used_as_they_are_and_unpacked_as_the_graph_does_it() {
        let packed = |scales: Vec<i64>, unpack: Vec<NodeProto>| {
            let mut graph = graph("unused");
            graph.add(tensor::of_integers("small", vec![2, 3], &[1, 2, 3, 4, 5, 6]));
            graph.add(tensor::of_floats("scales", scales, &[0.5, 0.25, 2.0]));
            graph.append(unpack);
            graph.append(vec![node("MatMul", &["value", "large"], &["result"])]);
            graph
        };
        let by_mul =
            || vec![cast_to_f32("small", "cast"), node("Mul", &["scales", "cast"], &["large"])];
        let mut graph = packed(vec![1, 3], by_mul());
        unpack_weights(&mut graph);
        assert_eq!(operators(&graph), ["MatMul"]);
        let large = tensor::floats(graph.constant("large").unwrap()).unwrap();
        assert_eq!(large, [0.5, 0.5, 6.0, 2.0, 1.25, 12.0]);

        let mut graph = packed(vec![1, 3], by_mul());
        multiply_integers(&mut graph).unwrap();
        assert!(graph.nodes()[1].input.contains(&"small".to_owned()));
        assert_eq!(graph.constant("small").unwrap().raw_data, [1, 2, 3, 4, 5, 6]);

        // Scales of rows are not those of columns.
        let by_rows = NodeProto {
            attribute: vec![super::super::proto::AttributeProto {
                name: "axis".to_owned(),
                i: 0,
                ..Default::default()
            }],
            ..node("DequantizeLinear", &["small", "scales"], &["large"])
        };
        let mut graph = packed(vec![3], vec![by_rows]);
        multiply_integers(&mut graph).unwrap();
        assert_eq!(operators(&graph), ["DequantizeLinear", "MatMul"]);
    }

    #[test]
    fn the_unit_is_recognised_in_any_order_and_nothing_else_is() {
        let erf = || {
            vec![
                node("Div", &["product", "root"], &["scaled"]),
                node("Erf", &["scaled"], &["erf"]),
                node("Add", &["one", "erf"], &["sum"]),
            ]
        };
        let orders: [&[(&str, &str, &str)]; 3] = [
            &[("half", "sum", "m"), ("product", "m", "result")],
            &[("sum", "product", "m"), ("m", "half", "result")],
            &[("product", "half", "m"), ("sum", "m", "result")],
        ];
        for order in orders {
            let products = order.iter().map(|(a, b, c)| node("Mul", &[a, b], &[c]));
            let mut graph = chain(erf().into_iter().chain(products).collect());
            fuse_gelu(&mut graph);
            assert_eq!(operators(&graph), ["MatMul", "Gelu"], "{order:?}");
            assert_eq!(graph.nodes()[1].input, ["product"]);
        }
        // Another factor, and another constant in it.
        for (a, b) in [("third", "sum"), ("sum", "sum")] {
            let mut nodes = erf();
            nodes.push(node("Mul", &[a, b], &["m"]));
            nodes.push(node("Mul", &["product", "m"], &["result"]));
            let mut graph = chain(nodes);
            fuse_gelu(&mut graph);
            assert!(operators(&graph).contains(&"Erf"), "{a} {b}");
        }
    }

    #[test]
    fn only_what_comes_from_the_mask_alone_is_dropped_before_a_softmax() {
        let masked = |mask: &[&str]| {
            chain(vec![
                node("Cast", &["attention_mask"], &["numbers"]),
                node("Sub", mask, &["penalty"]),
                node("Add", &["product", "penalty"], &["masked"]),
                node("Softmax", &["masked"], &["shares"]),
                node("IsNaN", &["shares"], &["odd"]),
                node("Where", &["odd", "one", "shares"], &["guarded"]),
                node("Relu", &["guarded"], &["result"]),
            ])
        };
        let mut graph = masked(&["one", "numbers"]);
        drop_guards(&mut graph);
        drop_masks(&mut graph);
        assert_eq!(operators(&graph), ["MatMul", "Softmax", "Relu"]);
        let mut graph = masked(&["product", "numbers"]);
        drop_masks(&mut graph);
        assert!(operators(&graph).contains(&"Add"));
    }

    #[test]
    fn weights_that_are_no_numbers_are_named() {
        let mut graph = chain(Vec::new());
        assert_eq!(check_weights(&graph), Ok(()));
        graph.add(tensor::of_floats("lowest", vec![1], &[f32::NEG_INFINITY]));
        assert_eq!(check_weights(&graph), Ok(()));
        graph.add(tensor::of_floats("broken", vec![2], &[1.0, f32::INFINITY]));
        assert_eq!(check_weights(&graph), Err(OnnxError::NotFinite("broken".to_owned())));
    }
}
