/* Writes test/hardware/logger/joulescope.jls with Jetperch's own library (github.com/jetperch/jls). */
#include <stdint.h>
#include "jls/writer.h"
#include "jls/format.h"
#include "jls/time.h"
#define RATE 2000
#define SECONDS 4
#define FIRST 123456
static float power[RATE * SECONDS];
static uint8_t gpi[RATE * SECONDS / 8 + 1];
int main(int argc, char **argv) {
  struct jls_wr_s *wr;
  struct jls_source_def_s source = {.source_id = 1, .name = "JS220-001122", .vendor = "Jetperch", .model = "JS220", .version = "1", .serial_number = "001122"};
  struct jls_signal_def_s def = {.source_id = 1, .signal_type = JLS_SIGNAL_TYPE_FSR, .sample_rate = RATE, .samples_per_data = 1000,
    .sample_decimate_factor = 20, .entries_per_summary = 200, .summary_decimate_factor = 100, .annotation_decimate_factor = 100, .utc_decimate_factor = 100};
  if (jls_wr_open(&wr, argv[1]) || jls_wr_source_def(wr, &source)) return 1;
  def.signal_id = 3; def.data_type = JLS_DATATYPE_F32; def.name = "power"; def.units = "W";
  if (jls_wr_signal_def(wr, &def)) return 3;
  def.signal_id = 5; def.data_type = JLS_DATATYPE_U1; def.name = "gpi[0]"; def.units = "";
  def.samples_per_data = 1024; def.sample_decimate_factor = 128; def.entries_per_summary = 200; def.summary_decimate_factor = 100;
  if (jls_wr_signal_def(wr, &def)) return 4;
  for (int i = 0; i < RATE * SECONDS; i++) {
    /* 6.7 W from 1 s to 2 s and from 3.072 s to 3.584 s, which is where blocks begin; else 2 W, with a ripple. */
    int high = (i >= 1 * RATE && i < 2 * RATE) || (i >= 6144 && i < 6144 + 1024);
    power[i] = (high ? 6.7f : 2.0f) + 0.5f * ((i % 4) - 1.5f);
    if (high) gpi[i / 8] |= 1 << (i % 8);
  }
  if (jls_wr_fsr_omit_data(wr, 5, 1)) return 8;
  jls_wr_utc(wr, 3, FIRST, JLS_TIME_SECOND * 200000000LL);
  for (int i = 0; i < RATE * SECONDS; i += 1000) {
    if (jls_wr_fsr_f32(wr, 3, FIRST + i, power + i, 1000)) return 6;
    if (jls_wr_fsr(wr, 5, FIRST + i, gpi + i / 8, 1000)) return 7;
  }
  return jls_wr_close(wr);
}
