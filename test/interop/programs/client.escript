%% Enters a job with Erlang's ssh, and prints what it saw, a line each.
%% Arguments: a port here that leads to the job, the SHA256 of its key, a folder with id_ed25519, a folder of the job.
main([Port, Fingerprint, Keys, Folder]) ->
    {ok, _} = application:ensure_all_started(ssh),
    {ok, Ssh} = ssh:connect("127.0.0.1", list_to_integer(Port), [
        {user, "anybody"},
        {user_dir, Keys},
        {user_interaction, false},
        {save_accepted_host, false},
        {pref_public_key_algs, ['ssh-ed25519']},
        {silently_accept_hosts, {sha256, fun(_, Seen) -> lists:flatten(Seen) =:= Fingerprint end}}
    ], 30000),
    say(command, run(Ssh, "echo $MINE; echo err >&2; exit 7", <<>>, [{"MINE", "a b"}])),
    {_, _, Signal} = run(Ssh, "kill -TERM $$", <<>>, []),
    say(signal, Signal),
    Data = crypto:strong_rand_bytes(3000001),
    {Echoed, _, _} = run(Ssh, "cat", Data, []),
    say(same, Echoed =:= Data),
    {ok, Sftp} = ssh_sftp:start_channel(Ssh),
    ok = ssh_sftp:write_file(Sftp, Folder ++ "/erlang", Data),
    ok = ssh_sftp:rename(Sftp, Folder ++ "/erlang", Folder ++ "/renamed"),
    {ok, Read} = ssh_sftp:read_file(Sftp, Folder ++ "/renamed"),
    say(file, Read =:= Data),
    {ok, Names} = ssh_sftp:list_dir(Sftp, Folder),
    say(names, lists:sort(Names) -- [".", ".."]),
    say(missing, ssh_sftp:read_file_info(Sftp, Folder ++ "/missing")),
    ssh:close(Ssh).

say(What, Seen) -> io:format("~p ~p~n", [What, Seen]).

run(Ssh, Command, Input, Variables) ->
    {ok, Channel} = ssh_connection:session_channel(Ssh, 30000),
    [success = ssh_connection:setenv(Ssh, Channel, Name, Value, 30000) || {Name, Value} <- Variables],
    success = ssh_connection:exec(Ssh, Channel, Command, 30000),
    %% For one that reads nothing, an end of the input may come too late: its channel may be closed.
    Input =:= <<>> orelse spawn_link(fun() ->
        ok = ssh_connection:send(Ssh, Channel, Input, 60000),
        ok = ssh_connection:send_eof(Ssh, Channel)
    end),
    collect(Channel, Ssh, <<>>, <<>>, undefined).

collect(Channel, Ssh, Out, Err, Status) ->
    receive
        {ssh_cm, Ssh, {data, Channel, 0, Data}} ->
            ssh_connection:adjust_window(Ssh, Channel, byte_size(Data)),
            collect(Channel, Ssh, <<Out/binary, Data/binary>>, Err, Status);
        {ssh_cm, Ssh, {data, Channel, 1, Data}} ->
            ssh_connection:adjust_window(Ssh, Channel, byte_size(Data)),
            collect(Channel, Ssh, Out, <<Err/binary, Data/binary>>, Status);
        {ssh_cm, Ssh, {exit_status, Channel, Code}} -> collect(Channel, Ssh, Out, Err, Code);
        {ssh_cm, Ssh, {exit_signal, Channel, Signal, _, _}} -> collect(Channel, Ssh, Out, Err, Signal);
        {ssh_cm, Ssh, {eof, Channel}} -> collect(Channel, Ssh, Out, Err, Status);
        {ssh_cm, Ssh, {closed, Channel}} -> {Out, Err, Status}
    after 60000 -> {Out, Err, timeout}
    end.
