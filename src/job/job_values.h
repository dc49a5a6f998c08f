// Typed values of YAML scalars.
#ifndef TG_JOB_JOB_VALUES_H
#define TG_JOB_JOB_VALUES_H

#include "job/yaml.h"

// Values of nodes; strict, whole text, finite. False when the text is none.
bool tg_value_is_decimal(const tg_yaml_node *node); // written as one, also where it is not finite: 1e999
bool tg_value_number(const tg_yaml_node *node, double *out);
bool tg_value_bound(const tg_yaml_node *node, double *out); // or YAML's .inf, -.inf
bool tg_value_whole(const tg_yaml_node *node, int64_t *out);
bool tg_value_boolean(const tg_yaml_node *node, bool *out);
bool tg_value_duration(const tg_yaml_node *node, double *seconds); // 90, 30s, 10min, 2h, 1d

#endif
