// Learns three vibrations on the board. Send 0, 1 or 2 over the serial port to label the next window, s to save what was
// learnt; anything else classifies. Weights are kept in flash: over a reset the board goes on where it was.
//
// Any accelerometer will do: replace readAcceleration(). Storage is the Preferences library on ESP32, EEPROM elsewhere. Of
// these only Preferences keeps the old file where the power fails during a save.
#include "classifier.h"
#include <gradus.h>

#if defined(ESP32)
#include <Preferences.h>
#else
#include <EEPROM.h>
#endif

static float samples[CLASSIFIER_SAMPLES][CLASSIFIER_AXES];
static uint8_t file[CLASSIFIER_FILE];

// In units of g. Here a stand-in from three analog pins.
static void readAcceleration(float *xyz) {
  for (int axis = 0; axis < CLASSIFIER_AXES; axis++) xyz[axis] = analogRead(A0 + axis) / 512.0f - 1.0f;
}

static void readWindow() {
  for (int i = 0; i < CLASSIFIER_SAMPLES; i++) {
    readAcceleration(samples[i]);
    delay(5); // 200 samples a second
  }
}

static int save() {
  size_t size = 0;
  int status = classifier_save(file, &size);
  if (status != GRADUS_OK) return status;
  bool kept = true;
#if defined(ESP32)
  Preferences preferences;
  kept = preferences.begin("classifier") && preferences.putBytes("file", file, size) == size;
  preferences.end();
#elif defined(ARDUINO_ARCH_RP2040) // its EEPROM lies in memory until it is committed to flash
  for (size_t i = 0; i < size; i++) EEPROM.write(i, file[i]);
  kept = EEPROM.commit();
#else
  for (size_t i = 0; i < size; i++) EEPROM.update(i, file[i]);
#endif
  return kept ? status : GRADUS_ERROR_CALLBACK;
}

// A file that was cut off by a power cut is refused by its checksum: the board starts anew then.
static int load() {
  size_t size = 0;
  if (classifier_save(file, &size) != GRADUS_OK) return -1; // as long as the one that is kept
#if defined(ESP32)
  Preferences preferences;
  preferences.begin("classifier", true);
  size = preferences.getBytes("file", file, sizeof file);
  preferences.end();
#else
  for (size_t i = 0; i < size; i++) file[i] = EEPROM.read(i);
#endif
  return classifier_load(file, size);
}

void setup() {
  Serial.begin(115200);
#if defined(ARDUINO_ARCH_RP2040)
  EEPROM.begin(CLASSIFIER_FILE);
#endif
  classifier_begin(1);
  if (load() == GRADUS_OK) {
    Serial.print("goes on after windows: ");
    Serial.println(classifier_steps());
  }
}

void loop() {
  int command = Serial.read();
  if (command == 's') {
    Serial.println(gradus_status_name(save()));
    return;
  }
  readWindow();
  if (command >= '0' && command < '0' + CLASSIFIER_CLASSES) {
    float loss = 0.0f;
    int status = classifier_learn(samples, (uint16_t)(command - '0'), &loss);
    Serial.print(gradus_status_name(status));
    Serial.print(", loss ");
    Serial.println(loss, 4);
  } else {
    size_t label = 0;
    float probability = 0.0f;
    if (classifier_class(samples, &label, &probability) != GRADUS_OK) return;
    Serial.print("class ");
    Serial.print((int)label);
    Serial.print(", probability ");
    Serial.println(probability, 2);
  }
}
