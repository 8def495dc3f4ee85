// RUN: attn-opt %s --attn-launch-attention=chip=gfx90 --verify-diagnostics
// expected-error@below {{expected a chip such as sm_90, got 'gfx90'}}
module {}
