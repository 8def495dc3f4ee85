func.func @scalars(%x: f32, %i: i32, %t: tensor<f64>, %v: tensor<?xf32>, %h: tensor<2xf16>, %b: tensor<2xbf16>, %m: tensor<2x2xi1>)
    -> (f32, i32, tensor<f64>, tensor<?xf32>) {
  %y = arith.addf %x, %x : f32
  %j = arith.addi %i, %i : i32
  %u = arith.addf %t, %t : tensor<f64>
  %w = arith.addf %v, %v : tensor<?xf32>
  return %y, %j, %u, %w : f32, i32, tensor<f64>, tensor<?xf32>
}
