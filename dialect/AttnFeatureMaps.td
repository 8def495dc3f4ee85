//===- AttnFeatureMaps.td - Kernel feature maps -*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNFEATUREMAPS_TD
#define ATTN_DIALECT_ATTNFEATUREMAPS_TD

include "dialect/AttnDialect.td"
include "dialect/AttnInterfaces.td"
include "mlir/IR/AttrTypeBase.td"

// The registration of a map is its definition here; FeatureMaps/<Name>.cpp
// holds the formula (evaluateRow) and the IR (emitElement or emitTile).
class Attn_FeatureMapAttr<string name, string attrMnemonic,
                          list<string> methods>
    : AttrDef<Attn_Dialect, name,
              [DeclareAttrInterfaceMethods<Attn_FeatureMapAttrInterface,
                  ["verifyFeatureMap", "getFlopsPerToken", "evaluateRow"]
                  # methods>]> {
  let mnemonic = attrMnemonic;
}

def Attn_IdentityAttr : Attn_FeatureMapAttr<"Identity", "identity",
    ["isElementwise", "emitElement"]> {
  let summary = "phi(x) = x";
  let description = [{
    Unnormalised linear attention (RetNet and others take no feature map).

    ```mlir
    %0 = attn.feature_map %x, #attn.identity : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_Elu1Attr : Attn_FeatureMapAttr<"Elu1", "elu1",
    ["isElementwise", "emitElement", "getRange"]> {
  let summary = "phi(x) = elu(x) + 1";
  let description = [{
    `x + 1` for `x > 0`, else `exp(x)`; positive. Katharopoulos et al.,
    "Transformers are RNNs", 2020 (arXiv:2006.16236), equation 7.

    ```mlir
    %0 = attn.feature_map %x, #attn.elu1 : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_ReluAttr : Attn_FeatureMapAttr<"Relu", "relu",
    ["isElementwise", "emitElement", "getRange"]> {
  let summary = "phi(x) = max(x, 0)";
  let description = [{
    Cai et al., "EfficientViT", 2022 (arXiv:2205.14756). A row whose features
    are all zero has no weight: the normaliser's result for it is zero.

    ```mlir
    %0 = attn.feature_map %x, #attn.relu : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_ExpAttr : Attn_FeatureMapAttr<"Exp", "exp",
    ["isExponential", "emitLogTile", "getRange"]> {
  let summary = "phi(x) = exp(x)";
  let description = [{
    Element-wise exponential. Exponential maps are stabilised where a
    normaliser cancels the factor, see `attn-stabilize`.

    ```mlir
    %0 = attn.feature_map %x, #attn.exp : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_SquaredReluAttr : Attn_FeatureMapAttr<"SquaredRelu", "squared_relu",
    ["isElementwise", "emitElement", "getRange"]> {
  let summary = "phi(x) = max(x, 0)^2";
  let description = [{
    So et al., "Primer", 2021 (arXiv:2109.08668); Hua et al., "Transformer
    Quality in Linear Time", 2022 (arXiv:2202.10447).

    ```mlir
    %0 = attn.feature_map %x, #attn.squared_relu : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_HedgehogAttr : Attn_FeatureMapAttr<"Hedgehog", "hedgehog",
    ["getNumFeatures", "emitTile", "getRange"]> {
  let summary = "phi(x) = [softmax(W x), softmax(-W x)]";
  let description = [{
    Hedgehog's softmax pair, F = 2m features. The operand W is `[m, D]` or
    `[H, m, D]`; without it W is the identity and m = D. Zhang et al., "The
    Hedgehog & the Porcupine", 2024 (arXiv:2402.04347), equations 5 and 6.

    ```mlir
    %0 = attn.feature_map %x, #attn.hedgehog(%w : tensor<8x32x64xf32>) : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_FavorAttr : Attn_FeatureMapAttr<"Favor", "favor",
    ["getNumFeatures", "isExponential", "emitLogTile", "getRange"]> {
  let summary = "phi(x) = exp(W x - |x|^2 / 2) / sqrt(m)";
  let description = [{
    FAVOR+ positive random features, F = m. The operand W is `[m, D]` or
    `[H, m, D]`, rows drawn from N(0, I), orthogonal or not. The map estimates
    `exp(x . y)` without bias: `E[phi(x) . phi(y)] = exp(x . y)`, so to estimate
    `exp(scale q . k)` both sides are scaled by `sqrt(scale)` first.
    Choromanski et al., "Rethinking Attention with Performers", 2020
    (arXiv:2009.14794), lemma 1.

    The definition has no stabiliser. Where a normaliser follows,
    `attn-stabilize` lets the lowering subtract a row maximum (queries) and a
    running maximum over the tokens seen so far (keys), which streams.

    ```mlir
    %0 = attn.feature_map %x, #attn.favor(%w : tensor<256x64xf32>) : tensor<8x?x64xf32> -> tensor<8x?x256xf32>
    ```
  }];
}

def Attn_CosformerAttr : Attn_FeatureMapAttr<"Cosformer", "cosformer",
    ["getNumFeatures", "getMaxTokens", "usesPosition", "emitTile"]> {
  let summary = "phi(x)_i = max(x, 0) * [cos(pi i / 2M), sin(pi i / 2M)]";
  let description = [{
    cosFormer's position weighting of relu features at token i, F = 2D. M is
    `max_len` and must be at least the number of tokens for the weights to stay
    positive; tokens at or past M are a run-time error. Qin et al.,
    "cosFormer", 2022 (arXiv:2202.08791), equation 9.

    Constraint F7 of docs/Spec.md: `max_len` is positive.

    ```mlir
    %0 = attn.feature_map %x, #attn.cosformer<max_len = 4096> : tensor<8x?x64xf32> -> tensor<8x?x128xf32>
    ```
  }];
  let parameters = (ins "int64_t":$maxLen);
  let assemblyFormat = "`<` `max_len` `=` $maxLen `>`";
  let genVerifyDecl = 1;
}

def Attn_Taylor2Attr : Attn_FeatureMapAttr<"Taylor2", "taylor2",
    ["getNumFeatures", "emitTile"]> {
  let summary = "phi(x) = [1, x / D^(1/4), (x (x) x) / sqrt(2 D)]";
  let description = [{
    Second-order Taylor expansion of the exponential, F = 1 + D + D^2:
    `phi(q) . phi(k) = 1 + s + s^2 / 2` with `s = q . k / sqrt(D)`. Arora et
    al., "Simple linear attention language models balance the recall-throughput
    tradeoff" (Based), 2024 (arXiv:2402.18668), section 4.

    ```mlir
    %0 = attn.feature_map %x, #attn.taylor2 : tensor<8x?x16xf32> -> tensor<8x?x273xf32>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Gates and norms
//===----------------------------------------------------------------------===//

class Attn_ScalarMapAttr<string name, string attrMnemonic>
    : Attn_FeatureMapAttr<name, attrMnemonic,
                          ["isElementwise", "emitElement", "getRange"]>;

def Attn_SigmoidAttr : Attn_ScalarMapAttr<"Sigmoid", "sigmoid"> {
  let summary = "phi(x) = 1 / (1 + exp(-x))";
  let description = [{
    A gate from 0 to 1: beta of the delta rule, output gates.

    ```mlir
    %0 = attn.feature_map %x, #attn.sigmoid : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_LogSigmoidAttr : Attn_ScalarMapAttr<"LogSigmoid", "log_sigmoid"> {
  let summary = "phi(x) = log(1 / (1 + exp(-x)))";
  let description = [{
    A log decay from a gate's logit, as `min(x, 0) - log1p(exp(-|x|))`: never
    positive, finite for finite x.

    ```mlir
    %0 = attn.feature_map %x, #attn.log_sigmoid : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_SoftplusAttr : Attn_ScalarMapAttr<"Softplus", "softplus"> {
  let summary = "phi(x) = log(1 + exp(x))";
  let description = [{
    A step size, as `max(x, 0) + log1p(exp(-|x|))`: never negative, finite for
    finite x.

    ```mlir
    %0 = attn.feature_map %x, #attn.softplus : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_SiluAttr : Attn_ScalarMapAttr<"Silu", "silu"> {
  let summary = "phi(x) = x / (1 + exp(-x))";
  let description = [{
    Hendrycks and Gimpel, "GELUs", 2016 (arXiv:1606.08415).

    ```mlir
    %0 = attn.feature_map %x, #attn.silu : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_NegativeExpAttr : Attn_ScalarMapAttr<"NegativeExp", "negative_exp"> {
  let summary = "phi(x) = -exp(x)";
  let description = [{
    A log decay from its logarithm, never positive: `A = -exp(A_log)` of
    state-space models, and `w = -exp(w~)` of RWKV-6.

    ```mlir
    %0 = attn.feature_map %x, #attn.negative_exp : tensor<8xf32> -> tensor<8xf32>
    ```
  }];
}

def Attn_L2NormAttr : Attn_FeatureMapAttr<"L2Norm", "l2_norm",
    ["emitTile", "getRange"]> {
  let summary = "phi(x) = x / sqrt(|x|^2 + eps)";
  let description = [{
    Keys of length 1, as the delta rule needs them; `eps` is 1e-6 if it is not
    given.

    Constraint F7 of docs/Spec.md: `eps` is finite and 0 or more.

    ```mlir
    %0 = attn.feature_map %x, #attn.l2_norm : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    %1 = attn.feature_map %x, #attn.l2_norm<eps = 1.0e-12> : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    ```
  }];
  let parameters = (ins DefaultValuedParameter<"::mlir::FloatAttr",
      "::mlir::FloatAttr::get(::mlir::Float64Type::get($_ctxt), 1e-6)">:$eps);
  let assemblyFormat = "(`<` `eps` `=` custom<Eps>($eps)^ `>`)?";
  let genVerifyDecl = 1;
}

#endif // ATTN_DIALECT_ATTNFEATUREMAPS_TD
