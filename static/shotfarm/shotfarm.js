/* Nothing of ours needs htmx to compile strings or to write a style into the page: the content security
   policy allows neither. */
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;

/* Dark unless the person has chosen otherwise. Runs before Alpine reads the choice. */
if (localStorage.getItem("adminTheme") === null) {
  localStorage.setItem("adminTheme", JSON.stringify("dark"));
}

/* The live cells of rows that are not on this page are no error worth a console line. */
document.addEventListener("htmx:oobErrorNoTarget", (event) => event.preventDefault());

/* Hand the CSRF token to htmx requests that change something. */
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector("input[name=csrfmiddlewaretoken]");
  if (token && event.detail.verb !== "get") {
    event.detail.headers["X-CSRFToken"] = token.value;
  }
});
