/*
 * Learns three vibrations on the board. The console takes `learn 0`, `learn 1`, `learn 2`, `classify` and `save`; what was
 * learnt is kept by the settings subsystem, in flash, and loaded at the start.
 */
#include "classifier.h"
#include "gradus.h"

#include <stdlib.h>
#include <zephyr/device.h>
#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>
#include <zephyr/settings/settings.h>
#include <zephyr/shell/shell.h>

static const struct device *const accelerometer = DEVICE_DT_GET(DT_ALIAS(accel0));
static float window[CLASSIFIER_SAMPLES][CLASSIFIER_AXES];
static uint8_t file[CLASSIFIER_FILE];

static int read_window(void) {
  for (int i = 0; i < CLASSIFIER_SAMPLES; i++) {
    struct sensor_value xyz[CLASSIFIER_AXES];
    int error = sensor_sample_fetch(accelerometer);
    if (error == 0) error = sensor_channel_get(accelerometer, SENSOR_CHAN_ACCEL_XYZ, xyz);
    if (error != 0) return error;
    for (int axis = 0; axis < CLASSIFIER_AXES; axis++) {
      window[i][axis] = sensor_value_to_float(&xyz[axis]) / 9.80665f;
    }
    k_msleep(5);
  }
  return 0;
}

static int cmd_learn(const struct shell *shell, size_t argc, char **argv) {
  float loss = 0.0f;
  if (argc != 2 || read_window() != 0) return -1;
  int status = classifier_learn(window, (uint16_t)atoi(argv[1]), &loss);
  shell_print(shell, "%s, loss %d / 1000", gradus_status_name(status), (int)(loss * 1000.0f));
  return status;
}

static int cmd_classify(const struct shell *shell, size_t argc, char **argv) {
  size_t label = 0;
  float probability = 0.0f;
  ARG_UNUSED(argc);
  ARG_UNUSED(argv);
  if (read_window() != 0) return -1;
  int status = classifier_class(window, &label, &probability);
  shell_print(shell, "%s, class %d, %d %%", gradus_status_name(status), (int)label, (int)(probability * 100.0f));
  return status;
}

static int cmd_save(const struct shell *shell, size_t argc, char **argv) {
  size_t size = 0;
  ARG_UNUSED(argc);
  ARG_UNUSED(argv);
  int status = classifier_save(file, &size);
  if (status == GRADUS_OK) status = settings_save_one("classifier/file", file, size);
  shell_print(shell, "%d", status);
  return status;
}

SHELL_CMD_REGISTER(learn, NULL, "learns from a window: learn CLASS", cmd_learn);
SHELL_CMD_REGISTER(classify, NULL, "classifies a window", cmd_classify);
SHELL_CMD_REGISTER(save, NULL, "keeps what was learnt", cmd_save);

static int set(const char *key, size_t length, settings_read_cb read, void *argument) {
  ARG_UNUSED(key);
  if (length > sizeof file || read(argument, file, length) != (ssize_t)length) return -EINVAL;
  return classifier_load(file, length) == GRADUS_OK ? 0 : -EINVAL;
}

SETTINGS_STATIC_HANDLER_DEFINE(classifier, "classifier", NULL, set, NULL, NULL);

int main(void) {
  classifier_begin(1);
  if (settings_subsys_init() == 0) settings_load_subtree("classifier");
  printk("gradus %s: %u windows learnt\n", gradus_version(), classifier_steps());
  return 0;
}
