// YAML as a tree with the place of every node: what the job file and --set values are read into.
#ifndef TG_JOB_YAML_H
#define TG_JOB_YAML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/source.h"

typedef enum tg_yaml_kind { TG_YAML_NULL, TG_YAML_SCALAR, TG_YAML_SEQUENCE, TG_YAML_MAPPING } tg_yaml_kind;

typedef enum tg_yaml_style {
  TG_YAML_PLAIN,
  TG_YAML_SINGLE_QUOTED,
  TG_YAML_DOUBLE_QUOTED,
  TG_YAML_LITERAL, // |
  TG_YAML_FOLDED   // >
} tg_yaml_style;

typedef struct tg_yaml_node tg_yaml_node;

// An entry of a mapping, or of a sequence (key is NULL).
typedef struct tg_yaml_item {
  const tg_yaml_node *key;
  tg_yaml_node *value;
  struct tg_yaml_item *next;
} tg_yaml_item;

struct tg_yaml_node {
  tg_yaml_kind kind;
  tg_yaml_style style;
  tg_mark mark;     // of the raw text, without quotes and block headers
  const char *text; // scalar: decoded, zero-terminated; NULL kind: ""
  size_t length;
  int32_t n_items;
  tg_yaml_item *first;
  tg_yaml_item *last;
};

// Reads the one document in source->text[begin ..]. An error carries its place in that text: YAML syntax, bytes
// that are not UTF-8, a key twice, an unknown alias, a second document, more than the stated limits.
// An empty document gives a node of kind TG_YAML_NULL. Local.
tg_status tg_yaml_parse(tg_arena *arena, const tg_source *source, size_t begin, tg_yaml_node **out);

// The value under a key of a mapping, or NULL (also when node is NULL or no mapping).
tg_yaml_node *tg_yaml_get(const tg_yaml_node *node, const char *key);
// The entry itself, or NULL.
const tg_yaml_item *tg_yaml_find(const tg_yaml_node *node, const char *key);

// A new mapping or scalar node, and appending to a mapping: for --set.
tg_status tg_yaml_new(tg_arena *arena, tg_yaml_kind kind, tg_mark mark, tg_yaml_node **out);
tg_status tg_yaml_append(tg_arena *arena, tg_yaml_node *node, const tg_yaml_node *key, tg_yaml_node *value);

// Takes an item out of a mapping or sequence; its own `next` stays.
void tg_yaml_remove(tg_yaml_node *node, const tg_yaml_item *item);

// offsets[i] is the byte of the source that decoded byte i of a scalar came from; offsets[length] the end.
// It is how a diagnostic inside an expression finds its place in the file, whatever the quoting and folding.
tg_status tg_yaml_offsets(tg_arena *arena, const tg_source *source, const tg_yaml_node *scalar, size_t **out);

// Version of the library that reads YAML.
const char *tg_yaml_version(void);
// "a mapping", "a list", "empty", "the text 'abc'": what was found, for messages.
void tg_yaml_describe(const tg_yaml_node *node, tg_text *out);

#endif
