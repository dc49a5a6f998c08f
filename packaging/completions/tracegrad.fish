# fish completion of tracegrad. Made by scripts/reference.
complete -c tracegrad -f
complete -c tracegrad -n __fish_use_subcommand -l help -d 'show the commands'
complete -c tracegrad -n __fish_use_subcommand -l version -d 'show the version'
complete -c tracegrad -n __fish_use_subcommand -a derive -d 'print the gradient of an expression, with the derivation when asked'
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l wrt -d 'differentiate by X; several by commas or repetition; X\' for its transpose' -x
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l dims -d 'sizes; without them they are inferred and named m, n, p, ...' -x
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l symmetric -d 'names of symmetric matrices' -x
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l spd -d 'names of symmetric positive definite matrices' -x
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l psd -d 'names of symmetric positive semidefinite matrices' -x
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l positive -d 'names whose entries are positive, for convexity' -x
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l diagonal -d 'names of diagonal matrices' -x
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l orthogonal -d 'names of matrices with Q\'*Q = eye' -x
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l within -d 'the gradient inside symmetric, diagonal, skew or lower (triangular) matrices' -x
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l define -d 'a part that EXPR and the claims use by its name' -x
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l steps -d 'show the derivation, each line with the rule it uses'
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l hessian -d 'also the Hessian action H[V] along V'
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l claim -d 'compare a derivative of your own with the derived one; one for each name in --wrt' -x
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l format -d 'human (default), expr, latex, numpy, octave, json' -x -a 'human expr latex numpy octave json'
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l function -d 'a program instead: numpy, jax, pytorch, octave, matlab, julia, c or fortran'
complete -c tracegrad -n '__fish_seen_subcommand_from derive' -l help -d 'this text'
complete -c tracegrad -n __fish_use_subcommand -a check -d 'validate a job and its data; Taylor test of gradient and Hessian action'
complete -c tracegrad -n '__fish_seen_subcommand_from check' -k -a '(__fish_complete_suffix .yaml .yml)'
complete -c tracegrad -n '__fish_seen_subcommand_from check' -l format -d 'human (default) or json' -x -a 'human json'
complete -c tracegrad -n '__fish_seen_subcommand_from check' -l set -d 'override a key of the job; repeatable' -x -a 'minimize= maximize= sweep_start= sweep_limit= sweep_groups= folds.rows= folds.columns= folds.entries= folds.score= folds.shuffle=true folds.shuffle=false folds.seed= process_grid= process_grid.rows= process_grid.columns= process_grid.block= products= checkpoint.directory= checkpoint.every= checkpoint.keep= output.directory= output.multipliers=true output.multipliers=false output.variables= solver.method=auto solver.method=gradient-descent solver.method=barzilai-borwein solver.method=nesterov solver.method=conjugate-gradient solver.method=l-bfgs solver.method=newton-cg solver.method=direct solver.method=alternating solver.method=frank-wolfe solver.line_search=auto solver.line_search=exact solver.line_search=armijo solver.line_search=strong-wolfe solver.line_search=hager-zhang solver.line_search=fixed solver.preconditioner=auto solver.preconditioner=none solver.preconditioner=diagonal solver.preconditioner=kronecker solver.beta=auto solver.beta=polak-ribiere solver.beta=hestenes-stiefel solver.beta=dai-yuan solver.beta=hager-zhang solver.gradient_tolerance= solver.absolute_gradient_tolerance= solver.objective_tolerance= solver.step_tolerance= solver.max_iterations= solver.max_evaluations= solver.time_limit= solver.memory= solver.nonmonotone_memory= solver.step_length= solver.trust_radius= solver.retraction=auto solver.retraction=qr solver.retraction=polar solver.saddles=leave solver.saddles=stop solver.seed= solver.constraint_tolerance= solver.penalty= solver.restarts='
complete -c tracegrad -n '__fish_seen_subcommand_from check' -l confined -d 'refuse a job that reads or writes outside its folders (docs/job-file.md)'
complete -c tracegrad -n '__fish_seen_subcommand_from check' -l help -d 'this text'
complete -c tracegrad -n __fish_use_subcommand -a plan -d 'show the compiled operations, their flops, memory and messages; reads no data'
complete -c tracegrad -n '__fish_seen_subcommand_from plan' -k -a '(__fish_complete_suffix .yaml .yml)'
complete -c tracegrad -n '__fish_seen_subcommand_from plan' -l format -d 'human (default) or json' -x -a 'human json'
complete -c tracegrad -n '__fish_seen_subcommand_from plan' -l ranks -d 'number of MPI ranks to plan for (default: what --grid or the job says, or 1)' -x
complete -c tracegrad -n '__fish_seen_subcommand_from plan' -l threads -d 'threads of each rank (default: OMP_NUM_THREADS, or the cores)' -x
complete -c tracegrad -n '__fish_seen_subcommand_from plan' -l grid -d 'process grid of P rows and Q columns' -x
complete -c tracegrad -n '__fish_seen_subcommand_from plan' -l plan-without -d 'switch one optimisation off to see its gain; repeatable' -x
complete -c tracegrad -n '__fish_seen_subcommand_from plan' -l set -d 'override a key of the job; repeatable' -x -a 'minimize= maximize= sweep_start= sweep_limit= sweep_groups= folds.rows= folds.columns= folds.entries= folds.score= folds.shuffle=true folds.shuffle=false folds.seed= process_grid= process_grid.rows= process_grid.columns= process_grid.block= products= checkpoint.directory= checkpoint.every= checkpoint.keep= output.directory= output.multipliers=true output.multipliers=false output.variables= solver.method=auto solver.method=gradient-descent solver.method=barzilai-borwein solver.method=nesterov solver.method=conjugate-gradient solver.method=l-bfgs solver.method=newton-cg solver.method=direct solver.method=alternating solver.method=frank-wolfe solver.line_search=auto solver.line_search=exact solver.line_search=armijo solver.line_search=strong-wolfe solver.line_search=hager-zhang solver.line_search=fixed solver.preconditioner=auto solver.preconditioner=none solver.preconditioner=diagonal solver.preconditioner=kronecker solver.beta=auto solver.beta=polak-ribiere solver.beta=hestenes-stiefel solver.beta=dai-yuan solver.beta=hager-zhang solver.gradient_tolerance= solver.absolute_gradient_tolerance= solver.objective_tolerance= solver.step_tolerance= solver.max_iterations= solver.max_evaluations= solver.time_limit= solver.memory= solver.nonmonotone_memory= solver.step_length= solver.trust_radius= solver.retraction=auto solver.retraction=qr solver.retraction=polar solver.saddles=leave solver.saddles=stop solver.seed= solver.constraint_tolerance= solver.penalty= solver.restarts='
complete -c tracegrad -n '__fish_seen_subcommand_from plan' -l confined -d 'refuse a job that reads or writes outside its folders (docs/job-file.md)'
complete -c tracegrad -n '__fish_seen_subcommand_from plan' -l help -d 'this text'
complete -c tracegrad -n __fish_use_subcommand -a run -d 'minimise the job\'s objective and write report, history and variables'
complete -c tracegrad -n '__fish_seen_subcommand_from run' -k -a '(__fish_complete_suffix .yaml .yml)'
complete -c tracegrad -n '__fish_seen_subcommand_from run' -l set -d 'override a key of the job, such as solver.method=l-bfgs; repeatable' -x -a 'minimize= maximize= sweep_start= sweep_limit= sweep_groups= folds.rows= folds.columns= folds.entries= folds.score= folds.shuffle=true folds.shuffle=false folds.seed= process_grid= process_grid.rows= process_grid.columns= process_grid.block= products= checkpoint.directory= checkpoint.every= checkpoint.keep= output.directory= output.multipliers=true output.multipliers=false output.variables= solver.method=auto solver.method=gradient-descent solver.method=barzilai-borwein solver.method=nesterov solver.method=conjugate-gradient solver.method=l-bfgs solver.method=newton-cg solver.method=direct solver.method=alternating solver.method=frank-wolfe solver.line_search=auto solver.line_search=exact solver.line_search=armijo solver.line_search=strong-wolfe solver.line_search=hager-zhang solver.line_search=fixed solver.preconditioner=auto solver.preconditioner=none solver.preconditioner=diagonal solver.preconditioner=kronecker solver.beta=auto solver.beta=polak-ribiere solver.beta=hestenes-stiefel solver.beta=dai-yuan solver.beta=hager-zhang solver.gradient_tolerance= solver.absolute_gradient_tolerance= solver.objective_tolerance= solver.step_tolerance= solver.max_iterations= solver.max_evaluations= solver.time_limit= solver.memory= solver.nonmonotone_memory= solver.step_length= solver.trust_radius= solver.retraction=auto solver.retraction=qr solver.retraction=polar solver.saddles=leave solver.saddles=stop solver.seed= solver.constraint_tolerance= solver.penalty= solver.restarts='
complete -c tracegrad -n '__fish_seen_subcommand_from run' -l output -d 'folder of the results instead of output.directory' -x -a '(__fish_complete_directories)'
complete -c tracegrad -n '__fish_seen_subcommand_from run' -l resume -d 'go on from the newest intact checkpoint; of a sweep from the points that are done'
complete -c tracegrad -n '__fish_seen_subcommand_from run' -l points -d 'of a sweep these points alone; all: also in a task of a Slurm array' -x
complete -c tracegrad -n '__fish_seen_subcommand_from run' -l progress -d 'rows (default), live (one line, redrawn) or none' -x -a 'rows live none'
complete -c tracegrad -n '__fish_seen_subcommand_from run' -l progress-interval -d 'between rows of progress, at least (default 1); 0: every iteration' -x
complete -c tracegrad -n '__fish_seen_subcommand_from run' -l log-view -d 'at the end, on stderr: calls, seconds, flops and bytes of each operation'
complete -c tracegrad -n '__fish_seen_subcommand_from run' -l force -d 'overwrite a folder that holds the results of another job'
complete -c tracegrad -n '__fish_seen_subcommand_from run' -l confined -d 'refuse a job that reads or writes outside its folders (docs/job-file.md)'
complete -c tracegrad -n '__fish_seen_subcommand_from run' -l quiet -d 'no header and no progress on stderr; warnings stay'
complete -c tracegrad -n '__fish_seen_subcommand_from run' -l help -d 'this text'
complete -c tracegrad -n __fish_use_subcommand -a plot -d 'draw the convergence of finished or running jobs (SVG, PNG, PDF)'
complete -c tracegrad -n '__fish_seen_subcommand_from plot' -a '(__fish_complete_directories)'
complete -c tracegrad -n '__fish_seen_subcommand_from plot' -l format -d 'svg, png or pdf; several by commas (default: svg,png)' -x
complete -c tracegrad -n '__fish_seen_subcommand_from plot' -l output -d 'name of the pictures without suffix (default: DIR/convergence, of several runs comparison)' -x
complete -c tracegrad -n '__fish_seen_subcommand_from plot' -l size -d 'width and height in pixels, of pdf in hundredths of an inch (default: 1200x700)' -x
complete -c tracegrad -n '__fish_seen_subcommand_from plot' -l help -d 'this text'
complete -c tracegrad -n __fish_use_subcommand -a info -d 'show versions, ranks, threads, BLAS core and process grid'
complete -c tracegrad -n '__fish_seen_subcommand_from info' -l format -d 'human (default) or json' -x -a 'human json'
complete -c tracegrad -n '__fish_seen_subcommand_from info' -l keys -d 'print the tables of job file keys as Markdown and nothing else'
complete -c tracegrad -n '__fish_seen_subcommand_from info' -l help -d 'this text'
