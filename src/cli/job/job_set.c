// --set KEY=VALUE: a value written over the job's tree.
#include "cli/job/job_set.h"

#include <string.h>

typedef struct setter {
  tg_job *job;
  const tg_source *source;
  int32_t index;
} setter;

// A copy of the mapping's entries: nodes may be shared through YAML aliases, and only this path is to change.
static tg_status copy_mapping(setter *s, const tg_yaml_node *node, tg_span span, tg_yaml_node **out)
{
  const int32_t source = node != NULL ? node->source : s->index;
  TG_TRY(tg_yaml_new(&s->job->arena, TG_YAML_MAPPING, source, node != NULL ? node->span : span, out));
  if (node == NULL || node->kind != TG_YAML_MAPPING) return TG_OK;
  for (const tg_yaml_item *item = node->first; item != NULL; item = item->next)
    TG_TRY(tg_yaml_append(&s->job->arena, *out, item->key, item->value));
  return TG_OK;
}

static tg_status put(setter *s, tg_yaml_node *mapping, const tg_yaml_node *key, tg_yaml_node *value)
{
  for (tg_yaml_item *item = mapping->first; item != NULL; item = item->next) {
    if (strcmp(item->key->text, key->text) != 0) continue;
    // The key moves along, so that a fault in either is located in the --set that brought it.
    item->key = key;
    item->value = value;
    return TG_OK;
  }
  return tg_yaml_append(&s->job->arena, mapping, key, value);
}

static tg_status key_node(setter *s, tg_span span, tg_yaml_node **out)
{
  TG_TRY(tg_yaml_new(&s->job->arena, TG_YAML_SCALAR, s->index, span, out));
  (*out)->length = span.end - span.begin;
  return tg_arena_string(&s->job->arena, s->source->text + span.begin, (*out)->length, &(*out)->text);
}

// Writes value at the path text[begin .. end) below node; *out is the changed copy of node.
static tg_status set_below(setter *s, const tg_yaml_node *node, size_t begin, size_t end, tg_yaml_node *value,
                           tg_yaml_node **out)
{
  const char *text = s->source->text;
  const char *dot = memchr(text + begin, '.', end - begin);
  const tg_span span = {begin, dot != NULL ? (size_t)(dot - text) : end};
  s->job->failed_source = s->index;
  if (span.end == span.begin) TG_FAIL_AT(TG_USAGE, ((tg_span){begin, begin + 1}), "a name is missing in the key");
  if (node != NULL && node->kind != TG_YAML_MAPPING && node->kind != TG_YAML_NULL)
    TG_FAIL_AT(TG_JOB, span, "'%.*s' cannot be set: what holds it is no mapping", (int)(span.end - span.begin),
               text + span.begin);
  TG_TRY(copy_mapping(s, node, span, out));
  tg_yaml_node *key = NULL;
  TG_TRY(key_node(s, span, &key));
  if (dot == NULL) return put(s, *out, key, value);
  tg_yaml_node *child = NULL;
  TG_TRY(set_below(s, tg_yaml_get(node, key->text), span.end + 1, end, value, &child));
  return put(s, *out, key, child);
}

tg_status tg_job_set(tg_job *job, int source)
{
  setter s = {.job = job, .source = &job->sources[source], .index = source};
  job->failed_source = source;
  const char *equals = strchr(s.source->text, '=');
  if (equals == NULL)
    TG_FAIL_AT(TG_USAGE, ((tg_span){0, s.source->length}), "--set needs KEY=VALUE, such as solver.max_iterations=50");
  const size_t end = (size_t)(equals - s.source->text);
  tg_yaml_node *value = NULL;
  TG_TRY(tg_yaml_parse(&job->arena, s.source, end + 1, source, &value));
  return set_below(&s, job->root, 0, end, value, &job->root);
}
