// Settings: values written over the job's tree.
#include "job/job_set.h"

#include <string.h>

typedef struct setter {
  tg_job *job;
  const tg_source *source;
} setter;

// A copy of the mapping's entries: nodes may be shared through YAML aliases, and only this path is to change. Where
// there is no mapping, a fresh one: a scalar (process_grid: auto) gives way, and what is wrong with the mapping then is
// located in this --set.
static tg_status copy_mapping(setter *s, const tg_yaml_node *node, tg_span span, tg_yaml_node **out)
{
  const bool is_mapping = node != NULL && node->kind == TG_YAML_MAPPING;
  TG_TRY(tg_yaml_new(&s->job->arena, TG_YAML_MAPPING, is_mapping ? node->mark : (tg_mark){s->source->id, span}, out));
  if (!is_mapping) return TG_OK;
  for (const tg_yaml_item *item = node->first; item != NULL; item = item->next)
    TG_TRY(tg_yaml_append(&s->job->arena, *out, item->key, item->value));
  return TG_OK;
}

// Keys of which a mapping has one: the other is overridden as the key itself is. By their depth in the job, for names
// of data are the user's own.
static const struct {
  int depth;
  const char *keys[2];
} rivals[] = {{0, {"minimize", "maximize"}}, {2, {"columns", "cols"}}};

static bool is_overridden(const char *old, const char *key, int depth)
{
  if (strcmp(old, key) == 0) return true;
  for (size_t r = 0; r < sizeof rivals / sizeof rivals[0]; r++)
    for (int k = 0; k < 2 && rivals[r].depth == depth; k++)
      if (strcmp(old, rivals[r].keys[k]) == 0 && strcmp(key, rivals[r].keys[1 - k]) == 0) return true;
  return false;
}

static tg_status put(setter *s, tg_yaml_node *mapping, const tg_yaml_node *key, int depth, tg_yaml_node *value)
{
  for (tg_yaml_item *item = mapping->first; item != NULL; item = item->next) {
    if (!is_overridden(item->key->text, key->text, depth)) continue;
    // The key moves along, so that a fault in either is located in the --set that brought it.
    item->key = key;
    item->value = value;
    return TG_OK;
  }
  return tg_yaml_append(&s->job->arena, mapping, key, value);
}

static tg_status key_node(setter *s, tg_span span, tg_yaml_node **out)
{
  TG_TRY(tg_yaml_new(&s->job->arena, TG_YAML_SCALAR, (tg_mark){s->source->id, span}, out));
  (*out)->length = span.end - span.begin;
  return tg_arena_string(&s->job->arena, s->source->text + span.begin, (*out)->length, &(*out)->text);
}

// Writes value at the path text[begin .. end) below node, which is `depth` keys deep in the job; *out is the changed
// copy of node.
static tg_status set_below(setter *s, const tg_yaml_node *node, int depth, size_t begin, size_t end,
                           tg_yaml_node *value, tg_yaml_node **out)
{
  const char *text = s->source->text;
  const char *dot = memchr(text + begin, '.', end - begin);
  const tg_span span = {begin, dot != NULL ? (size_t)(dot - text) : end};
  if (span.end == span.begin)
    TG_FAIL_MARK(TG_USAGE, ((tg_mark){s->source->id, {begin, begin + 1}}), "a name is missing in the key");
  // A single value in place of the whole job is no setting that could give way.
  if (node != NULL && (node->kind == TG_YAML_SEQUENCE || (depth == 0 && node->kind == TG_YAML_SCALAR)))
    TG_FAIL_MARK(TG_JOB, ((tg_mark){s->source->id, span}), "'%.*s' cannot be set: what holds it is %s",
                 (int)(span.end - span.begin), text + span.begin,
                 node->kind == TG_YAML_SEQUENCE ? "a list" : "no mapping");
  TG_TRY(copy_mapping(s, node, span, out));
  tg_yaml_node *key = NULL;
  TG_TRY(key_node(s, span, &key));
  if (dot == NULL) return put(s, *out, key, depth, value);
  tg_yaml_node *child = NULL;
  TG_TRY(set_below(s, tg_yaml_get(node, key->text), depth + 1, span.end + 1, end, value, &child));
  return put(s, *out, key, depth, child);
}

static tg_status set_path(setter *s)
{
  const char *equals = strchr(s->source->text, '=');
  if (equals == NULL)
    TG_FAIL_MARK(TG_USAGE, ((tg_mark){s->source->id, {0, s->source->length}}),
                 "%s needs KEY=VALUE, such as solver.max_iterations=50",
                 strncmp(s->source->name, "--set", 5) == 0 ? "--set" : s->source->name);
  const size_t end = (size_t)(equals - s->source->text);
  tg_yaml_node *value = NULL;
  TG_TRY(tg_yaml_parse(&s->job->arena, s->source, end + 1, &value));
  return set_below(s, s->job->root, 0, 0, end, value, &s->job->root);
}

// A copy of the list under the key with one entry more.
static tg_status extend(setter *s, const char *key, tg_mark whole, tg_yaml_node *entry, tg_yaml_node **out)
{
  const tg_yaml_node *list = tg_yaml_get(s->job->root, key);
  TG_TRY(tg_yaml_new(&s->job->arena, TG_YAML_SEQUENCE, whole, out));
  for (const tg_yaml_item *item = list != NULL ? list->first : NULL; item != NULL; item = item->next)
    TG_TRY(tg_yaml_append(&s->job->arena, *out, NULL, item->value));
  return tg_yaml_append(&s->job->arena, *out, NULL, entry);
}

// The whole text as a scalar, whatever YAML would make of it.
static tg_status write_text(setter *s, const tg_job_setting *setting)
{
  const tg_mark whole = {s->source->id, {0, s->source->length}};
  tg_yaml_node *key = NULL;
  tg_yaml_node *value = NULL;
  TG_TRY(tg_yaml_new(&s->job->arena, TG_YAML_SCALAR, whole, &key));
  TG_TRY(tg_yaml_new(&s->job->arena, TG_YAML_SCALAR, whole, &value));
  key->text = setting->key;
  key->length = strlen(setting->key);
  value->text = s->source->text;
  value->length = s->source->length;
  if (setting->kind == TG_JOB_ADD) {
    tg_yaml_node *list = NULL;
    TG_TRY(extend(s, setting->key, whole, value, &list));
    value = list;
  }
  TG_TRY(copy_mapping(s, s->job->root, whole.span, &s->job->root));
  return put(s, s->job->root, key, 0, value);
}

tg_status tg_job_set(tg_job *job, int source)
{
  setter s = {.job = job, .source = &job->sources[source]};
  const tg_job_setting *setting = &job->settings[source - 1];
  return setting->kind == TG_JOB_SET ? set_path(&s) : write_text(&s, setting);
}
