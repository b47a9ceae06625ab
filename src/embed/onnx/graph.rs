use std::collections::{HashMap, HashSet};

use prost::Message;

use super::OnnxError;
use super::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorTypeProto, TypeProto, ValueInfoProto,
};
use super::tensor;

/// The domain of operators that ONNX Runtime adds to the standard's.
pub(super) const RUNTIME_DOMAIN: &str = "com.microsoft";

/// Versions of the format and of the standard's operators that are written here.
const FORMAT: i64 = 8;
const OPERATORS: i64 = 17;

/// A model's graph: nodes in an order in which they can be computed, and constants.
/// Every value has one name and one origin.
pub(in crate::embed) struct Graph {
    /// All but nodes and constants.
    shell: ModelProto,
    nodes: Vec<NodeProto>,
    constants: HashMap<String, TensorProto>,
    /// Names of the constants in the order in which they are written.
    order: Vec<String>,
}

impl Graph {
    /// Reads a model file.
    ///
    /// # Errors
    ///
    /// If it is none, or has parts that cannot be rewritten: functions, sparse tensors,
    /// tensors in other files.
    pub fn parse(bytes: &[u8]) -> Result<Self, OnnxError> {
        let mut shell =
            ModelProto::decode(bytes).map_err(|error| OnnxError::Unreadable(error.to_string()))?;
        let graph = shell.graph.as_mut().ok_or(OnnxError::Unreadable("it has no graph".into()))?;
        if !shell.functions.is_empty() || !graph.sparse_initializer.is_empty() {
            return Err(OnnxError::Unsupported("functions or sparse tensors"));
        }
        let nodes = std::mem::take(&mut graph.node);
        let initializers = std::mem::take(&mut graph.initializer);
        // Before IR version 4, constants were listed as inputs, too.
        let given: HashSet<String> = initializers.iter().map(|it| it.name.clone()).collect();
        graph.input.retain(|input| !given.contains(&input.name));
        let mut graph =
            Self { shell, nodes: Vec::new(), constants: HashMap::new(), order: Vec::new() };
        for initializer in initializers {
            graph.add(tensor::normalized(initializer)?);
        }
        graph.take_nodes(nodes)?;
        Ok(graph)
    }

    /// A graph of one product of a value with weights.
    pub fn of_product(value: &str, weights: TensorProto, product: &str) -> Self {
        let float = |name: &str| ValueInfoProto {
            name: name.to_owned(),
            r#type: Some(TypeProto {
                tensor_type: Some(TensorTypeProto { elem_type: tensor::F32, shape: None }),
            }),
        };
        let nodes = vec![node("MatMul", &[value, &weights.name], &[product])];
        let graph = GraphProto {
            name: product.to_owned(),
            input: vec![float(value)],
            output: vec![float(product)],
            ..GraphProto::default()
        };
        let standard = OperatorSetIdProto { domain: String::new(), version: OPERATORS };
        let shell = ModelProto {
            ir_version: FORMAT,
            graph: Some(graph),
            opset_import: vec![standard],
            ..ModelProto::default()
        };
        let mut graph = Self { shell, nodes, constants: HashMap::new(), order: Vec::new() };
        graph.add(weights);
        graph
    }

    /// Adds nodes, the last output of which is the graph's.
    #[cfg(test)]
    pub fn append(&mut self, nodes: Vec<NodeProto>) {
        let last = nodes.last().and_then(|node| node.output.last()).cloned();
        let outputs = self.shell.graph.iter_mut().flat_map(|graph| &mut graph.output);
        for (output, last) in outputs.zip(last) {
            output.name = last;
        }
        self.nodes.extend(nodes);
    }

    /// Takes nodes in: those that only hold a constant or hand a value on are resolved.
    fn take_nodes(&mut self, nodes: Vec<NodeProto>) -> Result<(), OnnxError> {
        let kept: HashSet<String> = self.outputs().map(str::to_owned).collect();
        let mut aliases: HashMap<String, String> = HashMap::new();
        for mut node in nodes {
            for input in &mut node.input {
                if let Some(origin) = aliases.get(input) {
                    input.clone_from(origin);
                }
            }
            let output = node.output.first().cloned().unwrap_or_default();
            let constant = (node.op_type == "Constant")
                .then(|| node.attribute.iter().find(|it| it.name == "value")?.t.clone())
                .flatten();
            if let Some(constant) = constant {
                self.add(tensor::normalized(TensorProto { name: output, ..constant })?);
            } else if node.attribute.iter().any(|it| it.g.is_some() || !it.graphs.is_empty()) {
                return Err(OnnxError::Unsupported("control flow"));
            } else if node.op_type == "Identity" && !kept.contains(&output) {
                aliases.insert(output, node.input.first().cloned().unwrap_or_default());
            } else {
                self.nodes.push(node);
            }
        }
        Ok(())
    }

    /// The model file. The same graph gives the same bytes.
    pub fn into_bytes(mut self) -> Vec<u8> {
        if self.nodes.iter().any(|node| node.domain == RUNTIME_DOMAIN) {
            let domains = &mut self.shell.opset_import;
            if !domains.iter().any(|it| it.domain == RUNTIME_DOMAIN) {
                let domain = RUNTIME_DOMAIN.to_owned();
                domains.push(OperatorSetIdProto { domain, version: 1 });
            }
        }
        let initializer =
            self.order.iter().filter_map(|name| self.constants.remove(name)).collect();
        if let Some(graph) = self.shell.graph.as_mut() {
            graph.node = self.nodes;
            graph.initializer = initializer;
        }
        self.shell.encode_to_vec()
    }

    /// Nodes in the order in which they are computed.
    pub fn nodes(&self) -> &[NodeProto] {
        &self.nodes
    }

    /// Constants by their names, in the order in which they are written.
    pub fn constants(&self) -> impl Iterator<Item = &TensorProto> {
        self.order.iter().filter_map(|name| self.constants.get(name))
    }

    /// Constants, in any order.
    pub fn constants_mut(&mut self) -> impl Iterator<Item = &mut TensorProto> {
        self.constants.values_mut()
    }

    pub fn constant(&self, name: &str) -> Option<&TensorProto> {
        self.constants.get(name)
    }

    /// A constant that is one number.
    pub fn scalar(&self, name: &str) -> Option<f32> {
        match tensor::floats(self.constant(name)?)?.as_slice() {
            [number] => Some(*number),
            _ => None,
        }
    }

    /// Adds a constant. One of that name is left as it is.
    pub fn add(&mut self, tensor: TensorProto) {
        let name = tensor.name.clone();
        if !self.constants.contains_key(&name) {
            self.order.push(name.clone());
            self.constants.insert(name, tensor);
        }
    }

    /// Names of the graph's outputs.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.shell.graph.iter().flat_map(|graph| &graph.output).map(|it| it.name.as_str())
    }

    /// Index of what computes each value, and of what uses it.
    pub fn links(&self) -> Links {
        let mut links = Links::default();
        for (index, node) in self.nodes.iter().enumerate() {
            for output in &node.output {
                links.origins.insert(output.clone(), index);
            }
            for input in &node.input {
                links.users.entry(input.clone()).or_default().push(index);
            }
        }
        links
    }

    /// Puts other nodes into the place of some, by their index, and drops what is no
    /// longer used.
    pub fn replace(&mut self, mut replacements: HashMap<usize, Vec<NodeProto>>) {
        let nodes = std::mem::take(&mut self.nodes);
        self.nodes = nodes
            .into_iter()
            .enumerate()
            .flat_map(|(index, node)| replacements.remove(&index).unwrap_or_else(|| vec![node]))
            .collect();
        self.drop_unused();
    }

    /// Uses one value wherever another one was used, which must be no output.
    pub fn rename(&mut self, from: &str, to: &str) {
        for input in self.nodes.iter_mut().flat_map(|node| &mut node.input) {
            if input == from {
                to.clone_into(input);
            }
        }
    }

    pub fn drop_unused(&mut self) {
        let mut used: HashSet<String> = self.outputs().map(str::to_owned).collect();
        // Users come after what they use.
        let mut keep: Vec<NodeProto> = Vec::new();
        while let Some(node) = self.nodes.pop() {
            if node.output.iter().any(|output| used.contains(output)) {
                used.extend(node.input.iter().cloned());
                keep.push(node);
            }
        }
        keep.reverse();
        self.nodes = keep;
        self.order.retain(|name| used.contains(name));
        self.constants.retain(|name, _| used.contains(name));
    }
}

/// Where values come from and where they go.
#[derive(Default)]
pub(in crate::embed) struct Links {
    origins: HashMap<String, usize>,
    users: HashMap<String, Vec<usize>>,
}

impl Links {
    /// Index of the node that computes a value.
    pub fn origin(&self, value: &str) -> Option<usize> {
        self.origins.get(value).copied()
    }

    /// Indices of the nodes that use a value.
    pub fn users(&self, value: &str) -> &[usize] {
        self.users.get(value).map_or(&[], Vec::as_slice)
    }
}

/// A node of the standard's operators.
pub(super) fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    NodeProto {
        op_type: op.to_owned(),
        name: format!("{}/{op}", outputs.first().copied().unwrap_or_default()),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: outputs.iter().map(|&name| name.to_owned()).collect(),
        ..NodeProto::default()
    }
}

/// A node that turns numbers into single-precision ones.
pub(super) fn cast_to_f32(input: &str, output: &str) -> NodeProto {
    let to = AttributeProto {
        name: "to".to_owned(),
        i: i64::from(tensor::F32),
        r#type: 2, // an integer
        ..AttributeProto::default()
    };
    NodeProto { attribute: vec![to], ..node("Cast", &[input], &[output]) }
}
