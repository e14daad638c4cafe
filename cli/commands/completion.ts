import { Argument, type Command } from 'commander';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** What can be completed after a command: its own commands, or its options. */
interface Completed {
  readonly path: string;
  readonly says: string;
  readonly words: readonly string[];
}

const optionsOf = ({ options }: Command): readonly string[] =>
  options.flatMap(({ hidden, long }) => (hidden || !long ? [] : [long]));

const completedOf = (command: Command, parents: readonly string[] = []): readonly Completed[] =>
  command.commands.flatMap((sub) => {
    const path = [...parents, sub.name()];
    const choices = sub.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
    const words = [...sub.commands.map((inner) => inner.name()), ...choices, ...optionsOf(sub)];
    return [{ path: path.join(' '), says: sub.description(), words }, ...completedOf(sub, path)];
  });

const topWords = (all: readonly Completed[]): readonly Completed[] =>
  all.filter(({ path }) => !path.includes(' '));

const bash = (name: string, all: readonly Completed[]): string => {
  const cases = [...all]
    .sort((a, b) => b.path.length - a.path.length)
    .map(({ path, words }) => `    "${path}"*) words="${words.join(' ')}" ;;`);
  const top = topWords(all).map(({ path }) => path);
  return `# bash completion: source <(${name} completion bash)
_ebs_failover() {
  local words typed="\${COMP_WORDS[*]:1:COMP_CWORD-1}"
  case "$typed" in
${cases.join('\n')}
    *) words="${top.join(' ')}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _ebs_failover ${name}`;
};

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const zsh = (name: string, all: readonly Completed[]): string => {
  const described = topWords(all).map(({ path, says }) => `    ${quoted(`${path}:${says}`)}`);
  const cases = [...all]
    .sort((a, b) => b.path.length - a.path.length)
    .map(({ path, words }) => `    "${path}"*) compadd -- ${words.join(' ')} ;;`);
  return `#compdef ${name}
# zsh completion: source <(${name} completion zsh)
_ebs_failover() {
  local -a commands
  commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "\${(j: :)words[2,CURRENT-1]}" in
${cases.join('\n')}
  esac
}
compdef _ebs_failover ${name}`;
};

const fish = (name: string, all: readonly Completed[]): string => {
  const top = topWords(all).map(
    ({ path, says }) =>
      `complete -c ${name} -f -n __fish_use_subcommand -a ${path} -d ${quoted(says)}`,
  );
  const rest = all.map(({ path, words }) => {
    const seen = path
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ');
    return `complete -c ${name} -f -n ${quoted(seen)} -a ${quoted(words.join(' '))}`;
  });
  return [`# fish completion: ${name} completion fish | source`, ...top, ...rest].join('\n');
};

/** The script that teaches a shell the commands of `program`. */
export const completionFor = (shell: Shell, program: Command): string => {
  const name = program.name();
  const all = completedOf(program);
  switch (shell) {
    case 'bash':
      return bash(name, all);
    case 'zsh':
      return zsh(name, all);
    case 'fish':
      return fish(name, all);
  }
};

export const shellArgument = () => new Argument('<shell>', 'which shell').choices(shells);
