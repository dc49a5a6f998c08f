# bash completion of tracegrad. Made by scripts/reference.
_tracegrad_set() { # WORD: KEY=VALUE of a job; the shell may have split it at the equals sign
  local key value=
  case $1 in
    *=*) key=${1%%=*} value=${1#*=} ;;
    *) COMPREPLY=($(compgen -W 'minimize= maximize= sweep_start= sweep_limit= sweep_groups= folds.rows= folds.columns= folds.entries= folds.score= folds.shuffle= folds.seed= tune.score= tune.smallest= tune.largest= tune.evaluations= tune.tolerance= covariance= covariance_probes= covariance_seed= process_grid= process_grid.rows= process_grid.columns= process_grid.block= products= checkpoint.directory= checkpoint.every= checkpoint.keep= output.directory= output.multipliers= output.variables= solver.method= solver.line_search= solver.preconditioner= solver.beta= solver.gradient_tolerance= solver.absolute_gradient_tolerance= solver.objective_tolerance= solver.step_tolerance= solver.max_iterations= solver.max_evaluations= solver.time_limit= solver.memory= solver.nonmonotone_memory= solver.step_length= solver.trust_radius= solver.retraction= solver.saddles= solver.seed= solver.constraint_tolerance= solver.penalty= solver.restarts=' -- "$1")); compopt -o nospace 2> /dev/null; return ;;
  esac
  case $key in
    folds.shuffle) COMPREPLY=($(compgen -W 'true false' -- "$value")) ;;
    output.multipliers) COMPREPLY=($(compgen -W 'true false' -- "$value")) ;;
    solver.method) COMPREPLY=($(compgen -W 'auto gradient-descent barzilai-borwein nesterov conjugate-gradient l-bfgs newton-cg direct alternating frank-wolfe' -- "$value")) ;;
    solver.line_search) COMPREPLY=($(compgen -W 'auto exact armijo strong-wolfe hager-zhang fixed' -- "$value")) ;;
    solver.preconditioner) COMPREPLY=($(compgen -W 'auto none diagonal kronecker' -- "$value")) ;;
    solver.beta) COMPREPLY=($(compgen -W 'auto polak-ribiere hestenes-stiefel dai-yuan hager-zhang' -- "$value")) ;;
    solver.retraction) COMPREPLY=($(compgen -W 'auto qr polar' -- "$value")) ;;
    solver.saddles) COMPREPLY=($(compgen -W 'leave stop' -- "$value")) ;;
  esac
}
_tracegrad() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} name=${COMP_WORDS[1]} options= takes=NONE
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W 'derive check plan run plot info --help --version' -- "$word"))
    return
  fi
  # --set KEY=VALUE arrives as four words where = divides words.
  if [ "$word" = = ]; then
    word=
  elif [ "$before" = = ] && [ "$COMP_CWORD" -ge 4 ]; then
    before=${COMP_WORDS[COMP_CWORD-3]}
    [ "$before" != --set ] || { _tracegrad_set "${COMP_WORDS[COMP_CWORD-2]}=$word"; return; }
  fi
  if [ "$before" = --set ]; then
    _tracegrad_set "$word"
    return
  fi
  if [ "${COMP_WORDS[COMP_CWORD]}" = = ] && [ "${COMP_WORDS[COMP_CWORD-2]}" = --set ]; then
    _tracegrad_set "$before="
    return
  fi
  case $before in
    --format) COMPREPLY=($(compgen -W 'human expr latex numpy octave json' -- "$word")); return ;;
    --progress) COMPREPLY=($(compgen -W 'rows live none' -- "$word")); return ;;
    --output) COMPREPLY=($(compgen -d -- "$word")); return ;;
    --by|--claim|--define|--diagonal|--dims|--grid|--orthogonal|--plan-without|--points|--positive|--progress-interval|--psd|--ranks|--size|--spd|--symmetric|--threads|--what|--within|--wrt|--x-range|--y-range) return ;;
  esac
  case $name in
    derive) options='--wrt --dims --symmetric --spd --psd --positive --diagonal --orthogonal --within --define --steps --hessian --claim --format --function --help' takes=EXPR ;;
    check) options='--format --set --confined --help' takes=JOB ;;
    plan) options='--format --ranks --threads --grid --plan-without --set --confined --help' takes=JOB ;;
    run) options='--set --output --resume --points --progress --progress-interval --log-view --force --confined --quiet --help' takes=JOB ;;
    plot) options='--what --by --x-range --y-range --log-x --format --output --size --help' takes=DIR ;;
    info) options='--format --keys --help' takes=NONE ;;
  esac
  case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *)
      case $takes in
        JOB) COMPREPLY=($(compgen -f -X '!*.@(yaml|yml)' -- "$word") $(compgen -d -S / -- "$word")) ;;
        DIR) COMPREPLY=($(compgen -f -X '!*.@(json|npy|mtx|h5)' -- "$word") $(compgen -d -- "$word")) ;;
      esac
      ;;
  esac
}
shopt -s extglob
complete -o filenames -F _tracegrad tracegrad
