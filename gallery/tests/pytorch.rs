//! Weights that PyTorch saved: networks over them compute what PyTorch's do, and what does not fit is refused.

use gallery::pytorch::{Error, Layer, Request, read, to_c, to_file, to_rust};
use gradus::activation::{relu, tanh};
use gradus::layer::{Conv2d, Dense, DepthwiseConv2d, MaxPool2d};
use gradus::norm::{BatchNorm, BatchShape, Params, Statistics};
use gradus::{Exec, store};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};
use std::collections::HashMap;
use worst::worst;

#[path = "../../tests/support/worst.rs"]
mod worst;

const FILE: &[u8] = include_bytes!("../../tests/vectors/imported.safetensors");
const NINE: &[u8] = include_bytes!("../../examples/finetune/nine.safetensors");
const NINE_RS: &str = include_str!("../../examples/finetune/nine.rs");
const EPS: f32 = 1e-5;

fn vectors() -> HashMap<String, Vec<f64>> {
    serde_json::from_str(include_str!("../../tests/vectors/imported.json")).expect("vectors")
}

fn requests(names: &[&str]) -> Vec<Request> {
    names.iter().map(|name| name.parse().expect("a layer")).collect()
}

fn layers(file: &[u8], names: &[&str], eps: f32) -> Vec<Layer> {
    read(file, &requests(names), eps).unwrap_or_else(|error| panic!("{error}"))
}

fn params<const N: usize>(layers: &[Layer]) -> [&[f32]; N] {
    let all: Vec<_> = layers.iter().map(|layer| &layer.params[..]).collect();
    all.try_into().expect("as many layers")
}

/// Images channel by channel, as PyTorch has them, with their channels side by side.
fn channels_last(x: &[f64], channels: usize) -> impl Fn(usize) -> Vec<f32> {
    move |places| {
        let image = |image: &[f64]| -> Vec<f32> {
            (0..image.len()).map(|i| image[i % channels * places + i / channels] as f32).collect()
        };
        x.chunks(channels * places).flat_map(image).collect()
    }
}

/// Two sides: the largest distance, in parts of the largest number.
fn near(name: &str, got: &[f32], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{name}");
    let size = want.iter().fold(1.0, |a: f64, x| a.max(x.abs()));
    let error = worst(got.iter().zip(want).map(|(a, b)| (f64::from(*a) - b).abs()));
    assert!(error <= 1e-6 * size, "{name}: {error:e} of {size}");
}

#[test]
fn a_network_of_pytorch_has_its_results() {
    const CONV1: Conv2d = Conv2d::new([6, 5, 2], 3, [3, 2]).padding([1, 0]);
    const POOL: MaxPool2d = MaxPool2d::new(CONV1.output(), [2, 2]);
    const CONV2: DepthwiseConv2d = DepthwiseConv2d::new(POOL.output(), [3, 3]).padding([1, 1]);
    const DENSE1: Dense = Dense::new(CONV2.outputs(), 5);
    const DENSE2: Dense = Dense::new(5, 4);
    let (vectors, exec) = (vectors(), Exec::new());
    let x = channels_last(&vectors["images"], 2)(30);
    // Normalisations folded, and apart.
    for folded in [true, false] {
        let names = if folded {
            vec!["conv1+norm1", "depthwise", "dense1@3x3x2", "dense2", "norm3@3x3x2"]
        } else {
            vec!["conv1", "depthwise", "dense1@3x3x2", "dense2", "norm3@3x3x2", "norm1", "norm2"]
        };
        let all = layers(FILE, &names, EPS);
        let of = |name: &str| &all.iter().find(|layer| layer.name == name).expect("read").params[..];
        let norm = |name: &str, eps: f32, batch: usize, x: &mut [f32]| {
            let channels = of(name).len() / 4;
            let [weight, bias, mean, variance] = [0, 1, 2, 3].map(|k| &of(name)[k * channels..][..channels]);
            let shape = BatchShape::dense(batch, channels);
            let norm = BatchNorm { eps, ..BatchNorm::new() };
            norm.inference(shape, x, &Params { weight, bias }, &Statistics { mean, variance }).expect("fits");
        };
        let (mut c1, mut pooled, mut c2) = ([0.0; 4 * 72], [0.0; 4 * 18], [0.0; 4 * 18]);
        CONV1.forward(of("conv1"), &x, &mut c1).expect("fits");
        if !folded {
            norm("norm1", EPS, 4 * 24, &mut c1);
        }
        relu(exec, &mut c1);
        POOL.forward(&c1, &mut pooled).expect("fits");
        CONV2.forward(of("depthwise"), &pooled, &mut c2).expect("fits");
        let (mut h, mut scores) = ([0.0; 4 * 5], [0.0; 4 * 4]);
        let dense1 =
            if folded { &layers(FILE, &["dense1+norm2@3x3x2"], 1e-3)[0].params } else { of("dense1") };
        DENSE1.forward(dense1, &c2, &mut h).expect("fits");
        if !folded {
            norm("norm2", 1e-3, 4, &mut h);
        }
        tanh(exec, &mut h);
        DENSE2.forward(of("dense2"), &h, &mut scores).expect("fits");
        near("scores", &scores, &vectors["scores"]);
        norm("norm3", EPS, 4, &mut c2);
        let want = channels_last(&vectors["normalised"], 3)(6).into_iter().map(f64::from).collect::<Vec<_>>();
        near("normalised", &c2, &want);
    }
}

#[test]
fn signals_are_images_of_one_row() {
    const SIGNAL: Conv2d = Conv2d::new([1, 11, 2], 3, [1, 4]).stride([1, 2]);
    let (vectors, mut y) = (vectors(), [0.0; 3 * 12]);
    let [signal] = params(&layers(FILE, &["signal"], EPS)).map(<[f32]>::to_vec);
    SIGNAL.forward(&signal, &channels_last(&vectors["signals"], 2)(11), &mut y).expect("fits");
    let want = channels_last(&vectors["filtered"], 3)(4).into_iter().map(f64::from).collect::<Vec<_>>();
    near("filtered", &y, &want);
}

#[test]
fn nine_digits_have_the_scores_of_pytorch() {
    use digits::convolutional::{CONV1, CONV2, POOL};
    const DENSE: Dense = Dense::new(CONV2.outputs(), 9);
    let all = layers(NINE, &["conv1+norm1", "conv2+norm2", "dense@16x4x4"], EPS);
    let [p1, p2, p3] = params(&all);
    let (vectors, exec) = (vectors(), Exec::new());
    let x: Vec<f32> = vectors["digits"].iter().map(|x| (x / 16.0) as f32).collect();
    let (mut c1, mut pooled) = (vec![0.0; 20 * CONV1.outputs()], vec![0.0; 20 * POOL.outputs()]);
    let (mut c2, mut scores) = (vec![0.0; 20 * CONV2.outputs()], vec![0.0; 20 * 9]);
    CONV1.forward(p1, &x, &mut c1).expect("fits");
    relu(exec, &mut c1);
    POOL.forward(&c1, &mut pooled).expect("fits");
    CONV2.forward(p2, &pooled, &mut c2).expect("fits");
    relu(exec, &mut c2);
    DENSE.forward(p3, &c2, &mut scores).expect("fits");
    near("nine", &scores, &vectors["nine"]);
    assert_eq!(to_rust(&all, "nine"), NINE_RS, "examples/finetune/nine.rs is what the tool writes");
}

#[test]
fn every_form_has_the_same_bits() {
    let all = layers(FILE, &["conv1", "dense2"], EPS);
    let want: Vec<f32> = all.iter().flat_map(|layer| layer.params.clone()).collect();
    let mut loaded = Vec::<f32>::new();
    store::load(&mut loaded, &to_file(&all)).expect("a file");
    assert_eq!(loaded, want);
    for (text, suffix) in [(to_rust(&all, "net"), ""), (to_c(&all, "net"), "f")] {
        let lines = text.lines().filter(|line| line.ends_with(',') && line.starts_with("    "));
        let numbers = lines.flat_map(|line| line.trim().trim_end_matches(',').split(", "));
        let read: Vec<f32> =
            numbers.map(|x| x.strip_suffix(suffix).expect("a suffix").parse().expect("x")).collect();
        assert_eq!(read.len(), want.len());
        assert!(read.iter().zip(&want).all(|(a, b)| a.to_bits() == b.to_bits()), "{text}");
    }
    assert!(to_c(&all, "net").contains("#define NET_LAYER1 39\n#define NET_PARAMS 63\n"));
    assert!(to_rust(&all, "net").contains("pub const NET_LAYERS: [usize; 2] = [39, 24];"));
    let zeros = &layers(FILE, &["dense2"], EPS)[0].params[..4];
    assert_eq!(zeros, [0.0; 4], "a layer without biases");
}

/// A file of tensors, each with a name, a type, a shape and bytes.
fn file(tensors: &[(&str, Dtype, &[usize], &[u8])]) -> Vec<u8> {
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        (*name, TensorView::new(*dtype, shape.to_vec(), bytes).expect("a tensor"))
    });
    serialize(views, None).expect("a file")
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |file: &[u8], name: &str| read(file, &requests(&[name]), EPS).unwrap_err();
    let says = |file: &[u8], name: &str, words: &str| assert_eq!(refused(file, name).to_string(), words);
    assert!(matches!(refused(&FILE[..100], "conv1"), Error::File(_)));
    says(
        FILE,
        "conv9",
        "no tensor `conv9.weight`: the file has conv1, dense1, dense2, depthwise, norm1, norm2, norm3, signal",
    );
    assert!(matches!(refused(FILE, "conv1+norm9"), Error::Missing(name, _) if name == "norm9.running_mean"));
    says(FILE, "conv1+norm2", "`norm2.weight` has the shape [5], not [3]");
    says(FILE, "dense1@3x3x3", "`dense1.weight` has the shape [18], not one for images of 3 x 3 x 3 inputs");
    says(
        FILE,
        "conv1@1x1x2",
        "`conv1.weight` has the shape [3, 2, 3, 2], not that of a dense layer, which a flattened image goes to",
    );
    let four = [0_u8; 16];
    let wrong = file(&[("a.weight", Dtype::F16, &[2, 4], &four), ("b.weight", Dtype::F32, &[4], &four)]);
    says(&wrong, "a", "`a.weight` is of type F16, not F32: save `model.float()`");
    says(&wrong, "b", "`b.weight` has the shape [4], not that of a dense or convolutional layer");
    let nan = [0_f32, 1.0, f32::NAN, 2.0].map(f32::to_le_bytes).concat();
    let wrong = file(&[
        ("a.weight", Dtype::F32, &[2, 2], &nan),
        ("b.weight", Dtype::F32, &[2, 2], &four),
        ("b.bias", Dtype::F32, &[4], &four),
    ]);
    says(&wrong, "a", "`a.weight` has a number that is infinite or NaN");
    says(&wrong, "b", "`b.bias` has the shape [4], not [2]");
    for words in ["", "+norm", "conv+", "dense@", "dense@3x3", "dense@3x3x0", "dense@3x3xy", "dense@1x2x3x4"]
    {
        assert!(words.parse::<Request>().is_err(), "{words}");
    }
}
