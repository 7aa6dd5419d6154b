// gradus.hpp: the same bits as the calls of C, and lengths and states that do not fit are refused, some by the compiler.
#include "gradus.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <vector>

static int failures;

static void expect(bool ok, int line) {
  if (ok) return;
  std::printf("FAILED line %d\n", line);
  failures += 1;
}
#define TRUE(condition) expect(condition, __LINE__)

static constexpr std::size_t N = 37;

// Adam's state is of no use to AdamW.
using adamw_state = gradus::state_view<gradus_adamw>;
static_assert(!std::is_convertible_v<gradus::state<gradus_adam, N> &, adamw_state>);
static_assert(std::is_convertible_v<gradus::state<gradus_adamw, N> &, adamw_state>);
static_assert(!std::is_convertible_v<const float (&)[N], gradus::span<float>>); // a constant is not written

template <class Config>
static void one() {
  using call = gradus::functions<Config>;
  gradus::optimizer<Config> optimizer(0.05f);
  static gradus::state<Config, N> state;
  static gradus_clock clock;
  std::array<float, N> params{}, grads{}, raw_params{};
  std::vector<float> raw_state(call::columns * N);
  auto with = gradus::transforms().decay(0.5f).scale(0.25f);
  TRUE(bool(optimizer.check()) && bool(optimizer.check(with)));
  for (int turn = 0; turn < 5; turn++) {
    for (std::size_t i = 0; i < N; i++) grads[i] = static_cast<float>(i % 7) - 3.0f;
    TRUE(bool(optimizer.step(params, grads, state)));
    TRUE(bool(optimizer.step(params, grads, state, with)));
    TRUE(call::step(&optimizer.config, N, raw_params.data(), grads.data(), raw_state.data(), &clock) == GRADUS_OK);
    TRUE(call::step_with(&optimizer.config, &with.raw(), N, raw_params.data(), grads.data(), raw_state.data(), &clock) ==
         GRADUS_OK);
  }
  TRUE(params == raw_params && state.t() == 10 && clock.t == 10);
  TRUE(call::columns == 0 || std::memcmp(state.columns, raw_state.data(), raw_state.size() * sizeof(float)) == 0);
  gradus::span<const float> all(grads);
  TRUE(optimizer.step(params, all.part(1, N - 1), state).code() == GRADUS_ERROR_LENGTH);
  TRUE(optimizer.step(params, all.part(1, N), state).code() == GRADUS_ERROR_LENGTH);
  TRUE(call::columns == 0 ||
       optimizer.step(gradus::span<float>(params).part(0, 3), all.part(0, 3), state).code() == GRADUS_ERROR_LENGTH);
  std::size_t count = 9;
  TRUE(bool(optimizer.step_if_finite(params, grads, state, count)) && count == 0);
  gradus_clock common = {};
  const gradus::tensor<Config> list[] = {{params, grads, state}}, wrong[] = {{params, all.part(0, 1), state}};
  TRUE(bool(optimizer.step(list)) && state.t() == 12);
  TRUE(bool(optimizer.step(list, common)) && state.t() == 12 && common.t == 1);
  TRUE(optimizer.step(wrong).code() == GRADUS_ERROR_LENGTH);
  // A layer's step is the step of its gradients, with transforms and without.
  constexpr std::size_t LAYER = (1 + 5) * 6;
  static gradus::state<Config, LAYER> fused, apart;
  std::array<float, LAYER> layer{}, other{};
  std::array<float, 10> x{};
  std::array<float, 12> dy{};
  x.fill(0.5f);
  dy.fill(-0.25f);
  for (int turn = 0; turn < 4; turn++) {
    std::array<float, LAYER> layer_grads{};
    gradus_step step;
    TRUE(gradus_dense_backward(5, 6, 2, other.data(), layer_grads.data(), x.data(), dy.data(), nullptr) == GRADUS_OK);
    TRUE(bool(turn % 2 ? optimizer.step(other, layer_grads, apart, with) : optimizer.step(other, layer_grads, apart)));
    TRUE(bool(turn % 2 ? optimizer.begin(layer, fused, step, with, with) : optimizer.begin(layer, fused, step)));
    TRUE(gradus_dense_backward_step(5, 6, 2, &step, 0, x.data(), dy.data(), nullptr) == GRADUS_OK);
  }
  TRUE(layer == other && fused.t() == 4 && layer[0] != 0.0f);
  gradus_step none;
  TRUE(call::columns == 0 || optimizer.begin(params, fused, none).code() == GRADUS_ERROR_LENGTH);
  optimizer.config.lr = -1.0f;
  TRUE(std::strlen(optimizer.check().text()) > 10);
}

#define ONE(name, NAME) one<gradus_##name>();

int main() {
  GRADUS_OPTIMIZERS(ONE)
  return failures != 0;
}
