// Manifests and folders of checkpoints: nothing but what was written is taken, whatever happened to the bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/whole_file.h"
#include "engine/checkpoint/folder.h"
#include "engine/checkpoint/manifest.h"

static const double numbers[] = {0.1, -1.0 / 3, 1e-320, -0.0, 1e308, INFINITY, -INFINITY};
enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

static json_t *members(void)
{
  json_t *file = json_pack("{s:s, s:i, s:i, s:i, s:o}", "file", "x.npy", "rows", 3, "columns", 2, "bytes", 176, "xxh64",
                           tg_hash_text(UINT64_C(0x0123456789abcdef)));
  json_t *values = json_object();
  for (int k = 0; k < NUMBERS; k++) {
    char name[16];
    snprintf(name, sizeof name, "n%d", k);
    json_object_set_new(values, name, tg_exact_number(numbers[k]));
  }
  json_object_set_new(values, "nan", tg_exact_number((double)NAN));
  return json_pack("{s:i, s:i, s:i, s:i, s:{s:i}, s:{}, s:o, s:{s:I}, s:[{s:s, s:[o]}, {s:s, s:[]}]}", "format",
                   TG_MANIFEST_FORMAT, "iteration", 12, "history_records", 13, "runs", 2, "job", "seed", 7, "data",
                   "numbers", values, "counts", "iteration", (json_int_t)INT64_MAX, "vectors", "name", "x", "files",
                   file, "name", "s0", "files");
}

static void print_members(json_t *object, tg_text *text)
{
  assert_non_null(object);
  tg_text_init(text);
  assert_int_equal(tg_manifest_print(object, text), TG_OK);
  json_decref(object);
}

static void test_reads_back_with_all_bits(void **unused)
{
  (void)unused;
  tg_text text;
  tg_manifest *m = NULL;
  print_members(members(), &text);
  assert_int_equal(tg_manifest_parse(tg_text_string(&text), text.length, &m), TG_OK);
  assert_int_equal(m->iteration, 12);
  assert_int_equal(m->records, 13);
  assert_int_equal(m->runs, 2);
  for (int k = 0; k < NUMBERS; k++) {
    char name[16];
    double found = 0;
    snprintf(name, sizeof name, "n%d", k);
    assert_true(tg_manifest_number(m, name, &found));
    assert_memory_equal(&found, &numbers[k], sizeof found);
  }
  double found = 0;
  int64_t count = 0;
  assert_true(tg_manifest_number(m, "nan", &found) && isnan(found));
  assert_false(tg_manifest_number(m, "nothing", &found));
  assert_true(tg_manifest_count(m, "iteration", &count) && count == INT64_MAX);
  const tg_manifest_vector *x = tg_manifest_vector_find(m, "x");
  assert_int_equal(x->n_files, 1);
  assert_string_equal(x->files[0].name, "x.npy");
  assert_true(x->files[0].hash == UINT64_C(0x0123456789abcdef) && x->files[0].bytes == 176);
  assert_int_equal(tg_manifest_vector_find(m, "s0")->n_files, 0);
  assert_null(tg_manifest_vector_find(m, "y"));
  tg_manifest_destroy(&m);
  tg_text_fini(&text);
}

// Every bit flipped, every length cut, a byte more.
static void test_every_change_is_noticed(void **unused)
{
  (void)unused;
  tg_text text;
  tg_manifest *m = NULL;
  print_members(members(), &text);
  char *bytes = malloc(text.length + 1);
  memcpy(bytes, tg_text_string(&text), text.length + 1);
  for (size_t bit = 0; bit < 8 * text.length; bit++) {
    bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    assert_int_equal(tg_manifest_parse(bytes, text.length, &m), TG_DATA);
    assert_null(m);
    bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
  }
  for (size_t length = 0; length < text.length; length++) {
    assert_int_equal(tg_manifest_parse(bytes, length, &m), TG_DATA);
    assert_non_null(strstr(tg_error_get()->message, "expected"));
  }
  assert_int_equal(tg_manifest_parse(bytes, text.length + 1, &m), TG_DATA);
  assert_int_equal(tg_manifest_parse(bytes, text.length, &m), TG_OK);
  tg_manifest_destroy(&m);
  free(bytes);
  tg_text_fini(&text);
}

// With a right checksum, but not what a manifest is.
static void refuse(const char *key, json_t *value, const char *part)
{
  tg_text text;
  tg_manifest *m = NULL;
  json_t *object = members();
  if (value != NULL)
    json_object_set_new(object, key, value);
  else
    json_object_del(object, key);
  print_members(object, &text);
  assert_int_equal(tg_manifest_parse(tg_text_string(&text), text.length, &m), TG_DATA);
  if (strstr(tg_error_get()->message, part) == NULL) fail_msg("%s: %s", key, tg_error_get()->message);
  tg_text_fini(&text);
}

static json_t *vector(const char *file, int rows, const char *hash)
{
  return json_pack("[{s:s, s:[{s:s, s:i, s:i, s:i, s:s}]}]", "name", "x", "files", "file", file, "rows", rows,
                   "columns", 1, "bytes", 136, "xxh64", hash);
}

static void test_other_content_is_refused(void **unused)
{
  (void)unused;
  static const char *const keys[] = {"format", "iteration", "history_records", "runs",  "job",
                                     "data",   "vectors",   "numbers",         "counts"};
  for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
    refuse(keys[k], NULL, k == 6 ? "vectors" : keys[k]);
    refuse(keys[k], json_string("text"), k == 6 ? "vectors" : keys[k]);
  }
  refuse("format", json_integer(2), "format 2, this program reads format 1");
  refuse("iteration", json_integer(-1), "iteration");
  refuse("numbers", json_pack("{s:s}", "a", "0.5"), "hexadecimal");
  refuse("numbers", json_pack("{s:s}", "a", "0x1.8p"), "hexadecimal");
  refuse("counts", json_pack("{s:f}", "a", 0.5), "whole");
  refuse("vectors", vector("../x.npy", 1, "0123456789abcdef"), "plain name");
  refuse("vectors", vector(".x.npy", 1, "0123456789abcdef"), "plain name");
  refuse("vectors", vector("", 1, "0123456789abcdef"), "plain name");
  refuse("vectors", vector("x.npy", 0, "0123456789abcdef"), "rows");
  refuse("vectors", vector("x.npy", 1, "0123456789ABCDEF"), "checksum of x.npy");
  refuse("vectors", vector("x.npy", 1, "0123"), "checksum of x.npy");
  refuse("vectors", json_pack("[{s:s}]", "name", "x"), "vector without");
}

// ---- folders ----

typedef struct place {
  char directory[64];
  tg_text path;
} place;

static void set_up(place *p)
{
  snprintf(p->directory, sizeof p->directory, "/tmp/tracegrad-test-XXXXXX");
  assert_non_null(mkdtemp(p->directory));
  tg_text_init(&p->path);
}

static void tear_down(place *p)
{
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", p->directory);
  assert_int_equal(system(command), 0);
  tg_text_fini(&p->path);
}

static void publish(place *p, uint64_t owner, int64_t serial, int64_t iteration)
{
  tg_generation g;
  char file[256];
  tg_generation_name(serial, iteration, &g);
  assert_int_equal(tg_folder_begin(p->directory, owner, &p->path), TG_OK);
  snprintf(file, sizeof file, "%s/x.npy", tg_text_string(&p->path));
  assert_int_equal(tg_write_whole(file, "numbers", 7), TG_OK);
  assert_int_equal(tg_folder_publish(p->directory, tg_text_string(&p->path), g.name), TG_OK);
}

static void test_generations(void **unused)
{
  (void)unused;
  place p;
  int count = 0;
  tg_generation *list = NULL;
  char file[256];
  set_up(&p);
  assert_int_equal(tg_folder_list("/tmp/tracegrad-no-such-folder", &count, &list), TG_OK);
  assert_int_equal(count, 0);
  assert_int_equal(tg_folder_prepare(p.directory, 1), TG_OK);
  publish(&p, 1, 9, 400);
  publish(&p, 1, 1000000, 12345678901);
  publish(&p, 1, 10, 0);
  snprintf(file, sizeof file, "%s/9-iteration-400", p.directory); // not as we write it
  assert_int_equal(mkdir(file, 0777), 0);
  assert_int_equal(tg_folder_begin(p.directory, 2, &p.path), TG_OK);          // unfinished, of another job
  snprintf(file, sizeof file, "%s/.partial-0000000000000001-1", p.directory); // of a process that is gone
  assert_int_equal(mkdir(file, 0777), 0);
  tg_folder_clean(p.directory, 1);
  assert_int_equal(access(file, F_OK), -1);
  assert_int_equal(access(tg_text_string(&p.path), F_OK), 0);
  assert_int_equal(tg_folder_list(p.directory, &count, &list), TG_OK);
  assert_int_equal(count, 3);
  assert_true(list[0].serial == 1000000 && list[0].iteration == 12345678901);
  assert_true(list[1].serial == 10 && list[2].serial == 9);
  assert_string_equal(list[2].name, "000009-iteration-0000000400");
  assert_int_equal(tg_folder_retire(p.directory, 1, list[1].name), TG_OK);
  tg_free(list);
  assert_int_equal(tg_folder_list(p.directory, &count, &list), TG_OK);
  assert_int_equal(count, 2);
  tg_free(list);
  assert_int_equal(tg_folder_retire(p.directory, 1, "000010-iteration-0000000000"), TG_IO);
  assert_int_equal(tg_folder_publish(p.directory, "/tmp/tracegrad-no-such-folder", "a"), TG_IO);
  assert_int_equal(tg_folder_prepare("/proc/nowhere", 1), TG_IO);
  tear_down(&p);
}

static void test_hashes(void **unused)
{
  (void)unused;
  place p;
  char file[128];
  int64_t bytes = 0;
  uint64_t hash = 0;
  char *text = NULL;
  size_t length = 0;
  set_up(&p);
  snprintf(file, sizeof file, "%s/abc", p.directory);
  assert_int_equal(tg_write_whole(file, "abc", 3), TG_OK);
  assert_int_equal(tg_folder_hash(file, &bytes, &hash), TG_OK);
  assert_int_equal(bytes, 3);
  assert_true(hash == UINT64_C(0x44bc2cf5ad770999)); // what `xxh64sum` prints
  assert_int_equal(tg_folder_read(file, 3, &text, &length), TG_OK);
  assert_true(length == 3 && memcmp(text, "abc", 3) == 0);
  tg_free(text);
  assert_int_equal(tg_folder_read(file, 2, &text, &length), TG_DATA);
  assert_null(text);
  assert_int_equal(tg_folder_hash(p.directory, &bytes, &hash), TG_DATA);
  snprintf(file, sizeof file, "%s/none", p.directory);
  assert_int_equal(tg_folder_hash(file, &bytes, &hash), TG_DATA);
  tear_down(&p);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reads_back_with_all_bits),
      cmocka_unit_test(test_every_change_is_noticed),
      cmocka_unit_test(test_other_content_is_refused),
      cmocka_unit_test(test_generations),
      cmocka_unit_test(test_hashes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
