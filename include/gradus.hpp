// gradus for C++17: the optimizers of gradus.h with types. No exceptions, no heap, nothing but this header.
//
//     #include "gradus.hpp"
//
//     static gradus::state<gradus_adam, 1000> state;
//
//     gradus::adam adam(1e-3f);
//     adam.config.beta2 = 0.99;
//     if (auto status = adam.step(params, grads, state); !status) puts(status.text());
//
// `params` and `grads` are arrays, std::array, std::vector, std::span or {pointer, length}. Whatever else the header offers
// is called as from C.
#ifndef GRADUS_HPP
#define GRADUS_HPP

#include "gradus.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace gradus {

// What a call returns: true if it has done what it says, else why it was refused.
class [[nodiscard]] status {
 public:
  constexpr status(gradus_status code) noexcept : code_(code) {}
  constexpr explicit operator bool() const noexcept { return code_ == GRADUS_OK; }
  constexpr gradus_status code() const noexcept { return code_; }
  const char *text() const noexcept { return gradus_status_name(code_); }

 private:
  gradus_status code_;
};

// A pointer and a length; made of whatever has both.
template <class T>
class span {
 public:
  constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <std::size_t N>
  constexpr span(T (&array)[N]) noexcept : data_(array), size_(N) {}
  template <class Container, class = std::enable_if_t<std::is_convertible_v<
                                 decltype(std::declval<Container &>().data()), T *>>>
  constexpr span(Container &&container) noexcept : data_(container.data()), size_(container.size()) {}
  constexpr T *data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  // `count` elements from `from` on; none where there are not so many.
  constexpr span part(std::size_t from, std::size_t count) const noexcept {
    return from <= size_ && count <= size_ - from ? span(data_ + from, count) : span(nullptr, 0);
  }

 private:
  T *data_;
  std::size_t size_;
};

// What belongs to a configuration of gradus.h: its columns and its functions.
template <class Config>
struct functions;

#define GRADUS_FUNCTIONS(name, NAME)                                                            \
  template <>                                                                                   \
  struct functions<gradus_##name> {                                                             \
    static constexpr std::size_t columns = GRADUS_##NAME##_COLUMNS;                             \
    static constexpr gradus_##name initial(float lr) noexcept { return GRADUS_##NAME(lr); }     \
    static constexpr auto check = gradus_##name##_check;                                        \
    static constexpr auto check_with = gradus_##name##_check_with;                              \
    static constexpr auto step = gradus_##name##_step;                                          \
    static constexpr auto step_with = gradus_##name##_step_with;                                \
    static constexpr auto step_if_finite = gradus_##name##_step_if_finite;                      \
    static constexpr auto step_tensors = gradus_##name##_step_tensors;                          \
    static constexpr auto begin = gradus_##name##_begin;                                        \
    static constexpr auto begin_with = gradus_##name##_begin_with;                              \
  };
GRADUS_OPTIMIZERS(GRADUS_FUNCTIONS)
#undef GRADUS_FUNCTIONS

// A state in memory of the caller's: columns of zeros at the start, one after the other, and a clock.
template <class Config>
class state_view {
 public:
  constexpr state_view(span<float> columns, gradus_clock &clock) noexcept : columns_(columns), clock_(&clock) {}
  constexpr float *data() const noexcept { return columns_.data(); }
  constexpr gradus_clock *clock() const noexcept { return clock_; }
  // Whether it is the state of so many parameters.
  constexpr bool fits(std::size_t n) const noexcept {
    constexpr std::size_t k = functions<Config>::columns;
    return k == 0 || (columns_.size() % k == 0 && columns_.size() / k == n);
  }

 private:
  span<float> columns_;
  gradus_clock *clock_;
};

// The state of `N` parameters, with its memory: zeros, so that a static one costs no flash.
template <class Config, std::size_t N>
class state {
 public:
  constexpr operator state_view<Config>() noexcept {
    return {span<float>(columns, functions<Config>::columns * N), clock};
  }
  constexpr std::uint32_t t() const noexcept { return clock.t; }

  float columns[functions<Config>::columns * N + (functions<Config>::columns == 0)] = {};
  gradus_clock clock = {};
};

// One tensor of a list, for an optimizer with this configuration.
template <class Config>
class tensor {
 public:
  tensor(span<float> params, span<const float> grads, state_view<Config> state,
         const gradus_transforms *transforms = nullptr) noexcept
      : raw_{params.size(), params.data(), grads.data(), state.data(), state.clock(), transforms},
        fits_(grads.size() == params.size() && state.fits(params.size())) {}
  bool fits() const noexcept { return fits_; }
  const gradus_tensor &raw() const noexcept { return raw_; }

 private:
  gradus_tensor raw_;
  bool fits_;
};

// Transforms that are added one by one: transforms().scale(1.0f / 32).decay(0.01f). They act in the order of the fields of
// gradus_transforms, not in the order of these calls.
class transforms {
 public:
  constexpr transforms &scale(float factor) noexcept { return set(GRADUS_SCALE, raw_.scale, factor); }
  constexpr transforms &clip_value(float limit) noexcept { return set(GRADUS_CLIP_VALUE, raw_.clip_value, limit); }
  constexpr transforms &l2(float lambda) noexcept { return set(GRADUS_L2, raw_.l2, lambda); }
  constexpr transforms &l1(float lambda) noexcept { return set(GRADUS_L1, raw_.l1, lambda); }
  constexpr transforms &elastic_net(float lambda, float beta) noexcept {
    raw_.elastic_net_beta = beta;
    return set(GRADUS_ELASTIC_NET, raw_.elastic_net, lambda);
  }
  constexpr transforms &decay(float share) noexcept { return set(GRADUS_DECAY, raw_.decay, share); }
  constexpr transforms &prox_l1(float lambda) noexcept { return set(GRADUS_PROX_L1, raw_.prox_l1, lambda); }
  constexpr transforms &clamp_params(float limit) noexcept { return set(GRADUS_CLAMP_PARAMS, raw_.clamp_params, limit); }
  constexpr const gradus_transforms &raw() const noexcept { return raw_; }

 private:
  constexpr transforms &set(std::uint32_t flag, float &field, float value) noexcept {
    raw_.flags |= flag;
    field = value;
    return *this;
  }
  gradus_transforms raw_ = GRADUS_TRANSFORMS;
};

// An optimizer: its configuration, whose fields may be changed at any time, and its steps. Lengths are checked.
template <class Config>
class optimizer {
  using call = functions<Config>;

 public:
  constexpr explicit optimizer(float lr) noexcept : config(call::initial(lr)) {}

  // Whether every hyper-parameter is in its range, and every transform.
  status check() const noexcept { return call::check(&config); }
  status check(const transforms &with) const noexcept { return call::check_with(&config, &with.raw()); }

  status step(span<float> params, span<const float> grads, state_view<Config> state) const noexcept {
    if (!fit(params, grads, state)) return GRADUS_ERROR_LENGTH;
    return call::step(&config, params.size(), params.data(), grads.data(), state.data(), state.clock());
  }

  status step(span<float> params, span<const float> grads, state_view<Config> state,
              const transforms &with) const noexcept {
    if (!fit(params, grads, state)) return GRADUS_ERROR_LENGTH;
    return call::step_with(&config, &with.raw(), params.size(), params.data(), grads.data(), state.data(), state.clock());
  }

  // A step that is skipped where a gradient is not finite; `count` says how many are not.
  status step_if_finite(span<float> params, span<const float> grads, state_view<Config> state,
                        std::size_t &count) const noexcept {
    if (!fit(params, grads, state)) return GRADUS_ERROR_LENGTH;
    return call::step_if_finite(&config, params.size(), params.data(), grads.data(), state.data(), state.clock(), &count);
  }

  // A step of up to 64 tensors, each by its own clock, or by one for all.
  template <std::size_t N>
  status step(const tensor<Config> (&list)[N]) const noexcept { return step_list(list, nullptr); }
  template <std::size_t N>
  status step(const tensor<Config> (&list)[N], gradus_clock &clock) const noexcept { return step_list(list, &clock); }

  // Begins a step that layers take, each by its gradus_dense_backward_step() or kin.
  status begin(span<float> params, state_view<Config> state, gradus_step &step) const noexcept {
    if (!state.fits(params.size())) return GRADUS_ERROR_LENGTH;
    return call::begin(&config, params.size(), params.data(), state.data(), state.clock(), &step);
  }

  // The same with transforms of weights and of biases.
  status begin(span<float> params, state_view<Config> state, gradus_step &step, const transforms &weights,
               const transforms &biases) const noexcept {
    if (!state.fits(params.size())) return GRADUS_ERROR_LENGTH;
    return call::begin_with(&config, &weights.raw(), &biases.raw(), params.size(), params.data(), state.data(),
                            state.clock(), &step);
  }

  Config config;

 private:
  static bool fit(span<float> params, span<const float> grads, const state_view<Config> &state) noexcept {
    return grads.size() == params.size() && state.fits(params.size());
  }
  template <std::size_t N>
  status step_list(const tensor<Config> (&list)[N], gradus_clock *clock) const noexcept {
    static_assert(N <= 64, "the list is copied to the stack");
    gradus_tensor raw[N];
    for (std::size_t i = 0; i < N; i++) {
      if (!list[i].fits()) return GRADUS_ERROR_LENGTH;
      raw[i] = list[i].raw();
    }
    return call::step_tensors(&config, raw, N, clock);
  }
};

// gradus::adam, gradus::sgd, ..
#define GRADUS_OPTIMIZER(name, NAME) using name = optimizer<gradus_##name>;
GRADUS_OPTIMIZERS(GRADUS_OPTIMIZER)
#undef GRADUS_OPTIMIZER

}  // namespace gradus

#endif
