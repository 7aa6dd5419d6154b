/*
 * Learns three vibrations on an ESP32-C3, C6 or H2. The console takes 0, 1 or 2 to learn from the next window, s to save
 * what was learnt, c to classify. It is kept in the NVS partition, and loaded at the start.
 */
#include "classifier.h"
#include "gradus.h"

#include <stdio.h>

#include "esp_adc/adc_oneshot.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs.h"
#include "nvs_flash.h"

static adc_oneshot_unit_handle_t adc;
static float window[CLASSIFIER_SAMPLES][CLASSIFIER_AXES];
static uint8_t file[CLASSIFIER_FILE];

/* A stand-in for an accelerometer: an analog one at the channels 0 to 2. */
static void read_window(void) {
  for (int i = 0; i < CLASSIFIER_SAMPLES; i++) {
    for (int axis = 0; axis < CLASSIFIER_AXES; axis++) {
      int raw = 0;
      ESP_ERROR_CHECK(adc_oneshot_read(adc, (adc_channel_t)axis, &raw));
      window[i][axis] = (float)raw / 2048.0f - 1.0f;
    }
    vTaskDelay(pdMS_TO_TICKS(5));
  }
}

static int load(void) {
  nvs_handle_t nvs;
  size_t size = sizeof file;
  if (nvs_open("classifier", NVS_READONLY, &nvs) != ESP_OK) return -1;
  esp_err_t error = nvs_get_blob(nvs, "file", file, &size);
  nvs_close(nvs);
  return error == ESP_OK ? classifier_load(file, size) : -1;
}

static int save(void) {
  nvs_handle_t nvs;
  size_t size = 0;
  int status = classifier_save(file, &size);
  if (status != GRADUS_OK) return status;
  ESP_ERROR_CHECK(nvs_open("classifier", NVS_READWRITE, &nvs));
  ESP_ERROR_CHECK(nvs_set_blob(nvs, "file", file, size));
  ESP_ERROR_CHECK(nvs_commit(nvs));
  nvs_close(nvs);
  return status;
}

void app_main(void) {
  const adc_oneshot_unit_init_cfg_t unit = {.unit_id = ADC_UNIT_1};
  const adc_oneshot_chan_cfg_t channel = {.atten = ADC_ATTEN_DB_12, .bitwidth = ADC_BITWIDTH_12};
  ESP_ERROR_CHECK(nvs_flash_init());
  ESP_ERROR_CHECK(adc_oneshot_new_unit(&unit, &adc));
  for (int axis = 0; axis < CLASSIFIER_AXES; axis++) {
    ESP_ERROR_CHECK(adc_oneshot_config_channel(adc, (adc_channel_t)axis, &channel));
  }
  classifier_begin(1);
  load();
  printf("gradus %s: %lu windows learnt\n", gradus_version(), (unsigned long)classifier_steps());
  for (;;) {
    int command = getchar();
    if (command == 's') printf("%s\n", gradus_status_name(save()));
    if (command >= '0' && command < '0' + CLASSIFIER_CLASSES) {
      float loss = 0.0f;
      read_window();
      int status = classifier_learn(window, (uint16_t)(command - '0'), &loss);
      printf("%s, loss %.4f\n", gradus_status_name(status), (double)loss);
    }
    if (command == 'c') {
      size_t label = 0;
      float probability = 0.0f;
      read_window();
      if (classifier_class(window, &label, &probability) == GRADUS_OK) {
        printf("class %u, probability %.2f\n", (unsigned)label, (double)probability);
      }
    }
    vTaskDelay(pdMS_TO_TICKS(10));
  }
}
