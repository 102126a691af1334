import ArgumentParser
import Foundation

/// `nasrun completion`
struct CompletionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completion", abstract: "Print the completion script of a shell.",
    discussion: """
      Commands, options, recipes and their settings, runs and names of the API are completed. For bash: \
      nasrun completion bash > ~/.local/share/bash-completion/completions/nasrun; for zsh: nasrun completion zsh > a file \
      _nasrun in a folder of $fpath. Scripts/install does both.
      """)

  /// The shells that there is a script for.
  enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh }

  @Argument(help: "The shell: bash or zsh.") var shell: Shell

  func run() { print(Self.script(for: shell)) }

  /// The script: that of the argument parser, behind a function that takes a recipe as the first word for
  /// `nasrun run RECIPE`, which it stands for.
  static func script(for shell: Shell) -> String {
    let commands = NasrunCommand.commandNames + ["help"]
    switch shell {
    case .bash:
      return NasrunCommand.completionScript(for: .bash) + "\n" + bash(commands.joined(separator: " "))
    case .zsh:
      // Its last lines install the parser's own function.
      let script = NasrunCommand.completionScript(for: .zsh)
      let end = script.range(of: "if [[ \"${funcstack[1]}\"")?.lowerBound ?? script.endIndex
      return script[..<end] + zsh(commands.joined(separator: "|"))
    }
  }

  private static func bash(_ commands: String) -> String {
    """
    _nasrun_or_recipe() {
        local first="${COMP_WORDS[1]}" file
        if ((COMP_CWORD == 1)); then
            _nasrun "$@"
            if [[ "${first}" != -* ]]; then
                while IFS='' read -r file; do
                    COMPREPLY+=("${file}")
                done < <(compgen -f -X '!*.lua' -- "${first}"; compgen -d -- "${first}")
            fi
        elif [[ "${first}" == -* || " \(commands) " == *" ${first} "* ]]; then
            _nasrun "$@"
        else
            COMP_LINE="${COMP_LINE/"${first}"/"run ${first}"}"
            ((COMP_POINT += 4, COMP_CWORD += 1))
            COMP_WORDS=("${COMP_WORDS[0]}" run "${COMP_WORDS[@]:1}")
            _nasrun "$@"
        fi
    }

    complete -o filenames -F _nasrun_or_recipe nasrun
    """
  }

  private static func zsh(_ commands: String) -> String {
    """
    _nasrun_or_recipe() {
        if ((CURRENT == 2)); then
            _nasrun "$@"
            [[ "${words[2]}" == -* ]] || _files -g '*.lua'
        elif [[ "${words[2]}" == (-*|\(commands)) ]]; then
            _nasrun "$@"
        else
            words=("${words[1]}" run "${(@)words[2,-1]}")
            ((CURRENT += 1))
            _nasrun "$@"
        fi
    }

    if [[ "${funcstack[1]}" == _nasrun ]]; then
        _nasrun_or_recipe "$@"
    else
        compdef _nasrun_or_recipe nasrun
    fi
    """
  }
}
