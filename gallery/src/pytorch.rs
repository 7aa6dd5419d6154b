//! Weights of PyTorch in the layout of gradus: what `from_pytorch` reads and writes.
//!
//! | PyTorch | here |
//! |---|---|
//! | `Linear`: `[output][input]` | biases, then `[input][output]` |
//! | `Conv2d`: `[output][input][y][x]`, `Conv1d`: `[output][input][x]` | biases, then `[y][x][input][output]` |
//! | depthwise `Conv2d`: `[channel][1][y][x]` | biases, then `[y][x][channel]` |
//! | `BatchNorm`: four vectors | weight, bias, running mean, running variance; or folded into the layer before it |
//! | `flatten` of an image: channels, rows, columns | rows, columns, channels: what reads it has its inputs in this order |
//!
//! Where PyTorch's layer has no bias, zeros stand in its place.

use gradus::norm::{BatchNorm, Params, Statistics};
use gradus::store;
use safetensors::{Dtype, SafeTensors};
use std::fmt::{self, Write as _};
use std::str::FromStr;

/// A layer to read, as `LAYER[+NORM][@CxHxW]`: its name in the file, a batch normalisation behind it that is folded into it,
/// and channels, height and width of the flattened image that it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Prefix of the layer's tensors.
    pub layer: String,
    /// Prefix of the normalisation's tensors.
    pub norm: Option<String>,
    /// PyTorch's order of the inputs.
    pub image: Option<[usize; 3]>,
}

impl FromStr for Request {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (names, image) = match text.split_once('@') {
            None => (text, None),
            Some((names, image)) => {
                let sizes: Result<Vec<usize>, _> = image.split('x').map(str::parse).collect();
                let sizes = sizes.ok().and_then(|sizes| <[usize; 3]>::try_from(sizes).ok());
                let sizes = sizes.filter(|sizes| !sizes.contains(&0));
                (names, Some(sizes.ok_or(format!("`{image}` is no image CHANNELSxHEIGHTxWIDTH"))?))
            }
        };
        let (layer, norm) = match names.split_once('+') {
            None => (names, None),
            Some((layer, norm)) => (layer, Some(norm.to_owned())),
        };
        if layer.is_empty() || norm.as_ref().is_some_and(String::is_empty) {
            return Err(format!("`{text}` names no layer"));
        }
        Ok(Self { layer: layer.to_owned(), norm, image })
    }
}

/// Why weights cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It is no file of safetensors.
    File(String),
    /// There is no such tensor; these are the layers that have some.
    Missing(String, Vec<String>),
    /// The tensor is of another type than `F32`.
    Type(String, String),
    /// The tensor has a shape that does not fit.
    Shape(String, Vec<usize>, String),
    /// The tensor has a number that is infinite or NaN.
    Value(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(why) => write!(f, "no file of safetensors: {why}"),
            Self::Missing(name, layers) => {
                write!(f, "no tensor `{name}`: the file has {}", layers.join(", "))
            }
            Self::Type(name, found) => {
                write!(f, "`{name}` is of type {found}, not F32: save `model.float()`")
            }
            Self::Shape(name, found, wanted) => write!(f, "`{name}` has the shape {found:?}, not {wanted}"),
            Self::Value(name) => write!(f, "`{name}` has a number that is infinite or NaN"),
        }
    }
}

impl std::error::Error for Error {}

/// The parameters of a layer, or of a normalisation that stands alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name in the file.
    pub name: String,
    /// What lies where among its parameters, in words.
    pub layout: String,
    /// Its parameters.
    pub params: Vec<f32>,
}

/// Reads layers, one after the other. `eps` is that of every normalisation that is folded: PyTorch does not save it.
///
/// # Errors
/// [`Error`] if a tensor is missing, of another type, or does not fit the others.
pub fn read(file: &[u8], requests: &[Request], eps: f32) -> Result<Vec<Layer>, Error> {
    let file = SafeTensors::deserialize(file).map_err(|error| Error::File(error.to_string()))?;
    requests.iter().map(|request| layer(&file, request, eps)).collect()
}

fn layer(file: &SafeTensors<'_>, request: &Request, eps: f32) -> Result<Layer, Error> {
    let Request { layer: name, norm, image } = request;
    let key = format!("{name}.running_mean");
    if norm.is_none() && file.tensor(&key).is_ok() {
        let norm = Norm::read(file, name, None)?;
        let channels = norm.bias.len();
        let order = order(&key, channels, *image)?;
        let params = [&norm.weight, &norm.bias, &norm.mean, &norm.variance];
        let params = params.into_iter().flat_map(|part| order.iter().map(|&i| part[i])).collect();
        let layout = format!("weight, bias, mean, variance of {channels} channels");
        return Ok(Layer { name: name.clone(), layout, params });
    }

    let key = format!("{name}.weight");
    let (shape, weight) = tensor(file, &key)?;
    // Outputs, inputs, and the places of a kernel. A dense layer has a kernel of one place.
    let (outputs, inputs, places, kernel) = match shape[..] {
        [outputs, inputs] => (outputs, inputs, 1, String::new()),
        [outputs, inputs, x] => (outputs, inputs, x, format!("1 x {x} x ")),
        [outputs, inputs, y, x] => (outputs, inputs, y * x, format!("{y} x {x} x ")),
        _ => return Err(Error::Shape(key, shape, "that of a dense or convolutional layer".into())),
    };
    if image.is_some() && shape.len() != 2 {
        return Err(Error::Shape(
            key,
            shape,
            "that of a dense layer, which a flattened image goes to".into(),
        ));
    }
    let order = order(&key, inputs, *image)?;
    let mut bias = match tensor(file, &format!("{name}.bias")) {
        Err(Error::Missing(..)) => vec![0.0; outputs],
        other => sized(other?, &format!("{name}.bias"), outputs)?,
    };
    let mut weights = Vec::with_capacity(weight.len());
    for place in 0..places {
        for &input in &order {
            weights.extend((0..outputs).map(|output| weight[(output * inputs + input) * places + place]));
        }
    }
    if let Some(norm) = norm {
        let Norm { weight, bias: shift, mean, variance } = Norm::read(file, norm, Some(outputs))?;
        let norm = BatchNorm { eps, ..BatchNorm::new() };
        norm.fold_columns(
            &Params { weight, bias: shift },
            &Statistics { mean, variance },
            &mut weights,
            &mut bias,
        )
        .expect("equal lengths");
    }
    let layout = format!("{outputs} biases, {kernel}{inputs} x {outputs} weights");
    Ok(Layer { name: name.clone(), layout, params: [bias, weights].concat() })
}

/// A batch normalisation.
struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    mean: Vec<f32>,
    variance: Vec<f32>,
}

impl Norm {
    /// Of as many channels as told, or as it has itself. Without `affine` it has neither weight nor bias.
    fn read(file: &SafeTensors<'_>, name: &str, channels: Option<usize>) -> Result<Self, Error> {
        let key = |part: &str| format!("{name}.{part}");
        let mean = tensor(file, &key("running_mean"))?;
        let channels = channels.unwrap_or(mean.1.len());
        let or = |part: &str, value: f32| match tensor(file, &key(part)) {
            Err(Error::Missing(..)) => Ok(vec![value; channels]),
            other => sized(other?, &key(part), channels),
        };
        Ok(Self {
            weight: or("weight", 1.0)?,
            bias: or("bias", 0.0)?,
            mean: sized(mean, &key("running_mean"), channels)?,
            variance: sized(tensor(file, &key("running_var"))?, &key("running_var"), channels)?,
        })
    }
}

/// Which of PyTorch's inputs stands at each place.
fn order(name: &str, inputs: usize, image: Option<[usize; 3]>) -> Result<Vec<usize>, Error> {
    let Some([channels, height, width]) = image else { return Ok((0..inputs).collect()) };
    let places = height * width;
    if channels * places != inputs {
        let wanted = format!("one for images of {channels} x {height} x {width} inputs");
        return Err(Error::Shape(name.into(), vec![inputs], wanted));
    }
    Ok((0..inputs).map(|i| i % channels * places + i / channels).collect())
}

/// Shape and numbers of a tensor.
fn tensor(file: &SafeTensors<'_>, name: &str) -> Result<(Vec<usize>, Vec<f32>), Error> {
    let Ok(tensor) = file.tensor(name) else {
        let layers = file.names().into_iter().filter_map(|name| name.rsplit_once('.'));
        let mut layers: Vec<_> = layers.map(|(layer, _)| layer.to_owned()).collect();
        layers.sort();
        layers.dedup();
        return Err(Error::Missing(name.into(), layers));
    };
    if tensor.dtype() != Dtype::F32 {
        return Err(Error::Type(name.into(), tensor.dtype().to_string()));
    }
    let values: Vec<_> = tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    if !values.iter().all(|x| x.is_finite()) {
        return Err(Error::Value(name.into()));
    }
    Ok((tensor.shape().to_vec(), values))
}

/// The numbers of a vector of `length`.
fn sized((shape, values): (Vec<usize>, Vec<f32>), name: &str, length: usize) -> Result<Vec<f32>, Error> {
    if shape == [length] { Ok(values) } else { Err(Error::Shape(name.into(), shape, format!("[{length}]"))) }
}

/// All parameters as a saved file, for [`gradus::store::load`] into an array.
///
/// # Panics
/// Never: a slice can be saved.
#[must_use]
pub fn to_file(layers: &[Layer]) -> Vec<u8> {
    let params: Vec<f32> = layers.iter().flat_map(|layer| layer.params.iter().copied()).collect();
    store::to_vec(&params).expect("a slice")
}

/// All parameters as an array of Rust, in flash where nothing writes to it, and a constant with the number of each layer's.
#[must_use]
pub fn to_rust(layers: &[Layer], name: &str) -> String {
    let (name, all) = (name.to_uppercase(), layers.iter().map(|layer| layer.params.len()).sum::<usize>());
    let lengths: Vec<_> = layers.iter().map(|layer| layer.params.len()).collect();
    let mut text = String::from("// Made by from_pytorch: the weights of a network, layer by layer.\n\n");
    let _ = write!(
        text,
        "/// Parameters of each layer.\npub const {name}_LAYERS: [usize; {}] = {lengths:?};\n\n",
        lengths.len()
    );
    let _ = write!(text, "/// All parameters.\n#[rustfmt::skip]\npub static {name}: [f32; {all}] = [\n");
    numbers(&mut text, layers, "");
    text + "];\n"
}

/// The same as a header of C.
#[must_use]
pub fn to_c(layers: &[Layer], name: &str) -> String {
    let (upper, all) = (name.to_uppercase(), layers.iter().map(|layer| layer.params.len()).sum::<usize>());
    let mut text = String::from("/* Made by from_pytorch: the weights of a network, layer by layer. */\n");
    let _ =
        write!(text, "#ifndef {upper}_H\n#define {upper}_H\n\n/* Where each layer begins, and the end. */\n");
    let mut at = 0;
    for (k, layer) in layers.iter().enumerate() {
        let _ = writeln!(text, "#define {upper}_LAYER{k} {at}");
        at += layer.params.len();
    }
    let _ = write!(text, "#define {upper}_PARAMS {at}\n\nstatic const float {name}[{all}] = {{\n");
    numbers(&mut text, layers, "f");
    text + "};\n\n#endif\n"
}

/// Decimals from which a compiler reads the same bits, eight in a line.
fn numbers(text: &mut String, layers: &[Layer], suffix: &str) {
    let (open, close) = if suffix.is_empty() { ("//", "") } else { ("/*", " */") };
    for layer in layers {
        let _ = writeln!(text, "    {open} {}: {}{close}", layer.name, layer.layout);
        for line in layer.params.chunks(8) {
            let line: Vec<_> = line.iter().map(|x| format!("{x:?}{suffix},")).collect();
            let _ = writeln!(text, "    {}", line.join(" "));
        }
    }
}
