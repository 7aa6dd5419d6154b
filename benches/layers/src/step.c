/* A training step of both networks as loops, the way one writes them first: Adam, gradients in memory. */
#include <math.h>
#include <stddef.h>
#include <string.h>

static void adam(size_t n, float *restrict p, const float *restrict g, float *restrict m, float *restrict v, float lr,
                 float eps) {
  for (size_t i = 0; i < n; i++) {
    m[i] = 0.9f * m[i] + 0.1f * g[i];
    v[i] = 0.999f * v[i] + 0.001f * g[i] * g[i];
    p[i] -= lr * m[i] / (sqrtf(v[i]) + eps);
  }
}

static void dense(size_t b, size_t n, size_t k, const float *restrict p, const float *restrict x, float *restrict y) {
  for (size_t r = 0; r < b; r++) {
    for (size_t o = 0; o < k; o++) y[r * k + o] = p[o];
    for (size_t i = 0; i < n; i++)
      for (size_t o = 0; o < k; o++) y[r * k + o] += x[r * n + i] * p[k + i * k + o];
  }
}

static void dense_back(size_t b, size_t n, size_t k, const float *restrict p, float *restrict g,
                       const float *restrict x, const float *restrict dy, float *restrict dx) {
  for (size_t r = 0; r < b; r++) {
    for (size_t o = 0; o < k; o++) g[o] += dy[r * k + o];
    for (size_t i = 0; i < n; i++)
      for (size_t o = 0; o < k; o++) g[k + i * k + o] += x[r * n + i] * dy[r * k + o];
    for (size_t i = 0; dx && i < n; i++) {
      float sum = 0.0f;
      for (size_t o = 0; o < k; o++) sum += dy[r * k + o] * p[k + i * k + o];
      dx[r * n + i] = sum;
    }
  }
}

static void relu(size_t n, float *x) {
  for (size_t i = 0; i < n; i++) x[i] = x[i] > 0.0f ? x[i] : 0.0f;
}

static void relu_back(size_t n, float *dy, const float *y) {
  for (size_t i = 0; i < n; i++) dy[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

static float softmax(size_t b, size_t k, float *z, const unsigned char *labels) {
  float loss = 0.0f;
  for (size_t r = 0; r < b; r++, z += k) {
    float max = z[0], sum = 0.0f;
    for (size_t o = 1; o < k; o++) max = z[o] > max ? z[o] : max;
    float right = z[labels[r]];
    for (size_t o = 0; o < k; o++) sum += z[o] = expf(z[o] - max);
    loss += logf(sum) + max - right;
    for (size_t o = 0; o < k; o++) z[o] = (z[o] / sum - (o == labels[r])) / (float)b;
  }
  return loss / (float)b;
}

enum { P1 = 65 * 64, P2 = 65 * 32, P3 = 33 * 10, MLP = P1 + P2 + P3, MOST = 32 };

float NAME(mlp)(size_t b, float *p, float *m, float *v, const float *x, const unsigned char *labels) {
  static float g[MLP], h1[MOST * 64], h2[MOST * 32], z[MOST * 10], d1[MOST * 64], d2[MOST * 32];
  dense(b, 64, 64, p, x, h1);
  relu(b * 64, h1);
  dense(b, 64, 32, p + P1, h1, h2);
  relu(b * 32, h2);
  dense(b, 32, 10, p + P1 + P2, h2, z);
  float loss = softmax(b, 10, z, labels);
  memset(g, 0, sizeof g);
  dense_back(b, 32, 10, p + P1 + P2, g + P1 + P2, h2, z, d2);
  relu_back(b * 32, d2, h2);
  dense_back(b, 64, 32, p + P1, g + P1, h1, d2, d1);
  relu_back(b * 64, d1, h1);
  dense_back(b, 64, 64, p, g, x, d1, NULL);
  adam(MLP, p, g, m, v, 1e-3f, 1e-8f);
  return loss;
}

/* 3 x 3, zeros around. */
static void conv(size_t b, size_t h, size_t w, size_t c, size_t k, const float *restrict p, const float *restrict x,
                 float *restrict y) {
  for (size_t n = 0; n < b; n++, x += h * w * c)
    for (size_t r = 0; r < h; r++)
      for (size_t s = 0; s < w; s++, y += k) {
        for (size_t o = 0; o < k; o++) y[o] = p[o];
        for (size_t i = 0; i < 3; i++)
          for (size_t j = 0; j < 3; j++) {
            if (r + i < 1 || r + i > h || s + j < 1 || s + j > w) continue;
            const float *at = x + ((r + i - 1) * w + s + j - 1) * c;
            for (size_t q = 0; q < c; q++)
              for (size_t o = 0; o < k; o++) y[o] += at[q] * p[k + ((i * 3 + j) * c + q) * k + o];
          }
      }
}

static void conv_back(size_t b, size_t h, size_t w, size_t c, size_t k, const float *restrict p, float *restrict g,
                      const float *restrict x, const float *restrict dy, float *restrict dx) {
  if (dx) memset(dx, 0, b * h * w * c * sizeof *dx);
  for (size_t n = 0; n < b; n++, x += h * w * c)
    for (size_t r = 0; r < h; r++)
      for (size_t s = 0; s < w; s++, dy += k) {
        for (size_t o = 0; o < k; o++) g[o] += dy[o];
        for (size_t i = 0; i < 3; i++)
          for (size_t j = 0; j < 3; j++) {
            if (r + i < 1 || r + i > h || s + j < 1 || s + j > w) continue;
            size_t place = ((r + i - 1) * w + s + j - 1) * c;
            for (size_t q = 0; q < c; q++) {
              size_t row = k + ((i * 3 + j) * c + q) * k;
              for (size_t o = 0; o < k; o++) g[row + o] += x[place + q] * dy[o];
              if (!dx) continue;
              float sum = 0.0f;
              for (size_t o = 0; o < k; o++) sum += dy[o] * p[row + o];
              dx[n * h * w * c + place + q] += sum;
            }
          }
      }
}

enum { C1 = 10 * 8, C2 = 73 * 16, D = 257 * 10, CNN = C1 + C2 + D };

float NAME(cnn)(size_t b, float *p, float *m, float *v, const float *x, const unsigned char *labels) {
  static float g[CNN], c1[MOST * 512], pooled[MOST * 128], c2[MOST * 256], z[MOST * 10];
  static float dc1[MOST * 512], dpooled[MOST * 128], dc2[MOST * 256];
  conv(b, 8, 8, 1, 8, p, x, c1);
  relu(b * 512, c1);
  for (size_t n = 0; n < b; n++)
    for (size_t r = 0; r < 4; r++)
      for (size_t s = 0; s < 4; s++)
        for (size_t q = 0; q < 8; q++) {
          const float *at = c1 + n * 512 + (2 * r * 8 + 2 * s) * 8 + q;
          float max = at[0];
          for (size_t i = 1; i < 4; i++) {
            float y = at[i / 2 * 64 + i % 2 * 8];
            max = y > max ? y : max;
          }
          pooled[n * 128 + (r * 4 + s) * 8 + q] = max;
        }
  conv(b, 4, 4, 8, 16, p + C1, pooled, c2);
  relu(b * 256, c2);
  dense(b, 256, 10, p + C1 + C2, c2, z);
  float loss = softmax(b, 10, z, labels);
  memset(g, 0, sizeof g);
  dense_back(b, 256, 10, p + C1 + C2, g + C1 + C2, c2, z, dc2);
  relu_back(b * 256, dc2, c2);
  conv_back(b, 4, 4, 8, 16, p + C1, g + C1, pooled, dc2, dpooled);
  memset(dc1, 0, b * 512 * sizeof *dc1);
  for (size_t n = 0; n < b; n++)
    for (size_t r = 0; r < 4; r++)
      for (size_t s = 0; s < 4; s++)
        for (size_t q = 0; q < 8; q++) {
          size_t at = n * 512 + (2 * r * 8 + 2 * s) * 8 + q, out = n * 128 + (r * 4 + s) * 8 + q, i = 0;
          while (i < 3 && c1[at + i / 2 * 64 + i % 2 * 8] != pooled[out]) i++;
          dc1[at + i / 2 * 64 + i % 2 * 8] += dpooled[out];
        }
  relu_back(b * 512, dc1, c1);
  conv_back(b, 8, 8, 1, 8, p, g, x, dc1, NULL);
  adam(CNN, p, g, m, v, 1e-3f, 1e-8f);
  return loss;
}
