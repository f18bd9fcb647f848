"""Recordings of several steps."""

STORIES = {
    "cached_outputs_client_id_matters",
    "view",
    "ws_two_sockets_same_client_id",
    "free",
    "interrupt_by_id",
    "queue_ops",
    "interrupt_deaf_node",
    "upload",
    "worker_thread_death_systemexit",
    "ws_other_client_sees",
    "cached_output_file_deleted",
    "models_checkpoints_new_file_seen_without_restart",
    "api_jobs_list",
    "history_ops",
    "interrupt_idle_then_prompt",
    "interrupt_wrong_id",
    "duplicate_prompt_id",
    "ws_reconnect_midrun",
    "ws_no_client_id",
    "lifecycle_signals",
    "history_eviction_max5",
    "ksampler_interrupt",
    "interrupt_global",
}
MEASURED = {"timing": "", "gc_stall": "", "object_info_summary": ""}
