;;; dape.el --- plays a scenario in Emacs with dape  -*- lexical-binding: t -*-
;;   SCENARIO=FILE emacs --batch -l dape.el
;; Prints `REPORT {…}`: what a person would have seen on the screen at each stop, for the test to judge.

(setq package-enable-at-startup nil)
(package-initialize)
(require 'dape)
(require 'json)

(defvar play-stopped nil "Bodies of the stopped events, the last one first.")
(defvar play-output "")
(defvar play-ended nil)
(defvar play-wait-seconds 20)

(cl-defmethod dape-handle-event :before (_conn event body)
  (pcase event
    ('stopped (push body play-stopped))
    ('output (setq play-output (concat play-output (plist-get body :output))))
    ('terminated (setq play-ended t))))

(defun play-wait (what check)
  "Let Emacs work until CHECK returns non-nil, and return that."
  (let ((end (+ (float-time) play-wait-seconds)) seen)
    (while (not (setq seen (ignore-errors (funcall check))))
      (when (> (float-time) end)
        (error "Waited %s seconds in vain: %s" play-wait-seconds what))
      (accept-process-output nil 0.05))
    seen))

(defun play-frame ()
  (dape--current-stack-frame (dape--live-connection 'stopped t)))

(defun play-quiet ()
  "No request of dape's waits for its answer."
  (let ((conn (dape--live-connection 'parent t)))
    (or (null conn) (zerop (jsonrpc-continuation-count conn)))))

(defun play-await (text wanted)
  "Call TEXT until what it returns has a match for WANTED; return t, or in the end that text."
  (let (seen)
    (condition-case nil
        (play-wait wanted (lambda () (string-match-p wanted (setq seen (funcall text)))))
      (error seen))
    (or (and (string-match-p wanted seen) t) seen)))

(defvar play-reverted 0)
(defun play-scope ()
  "What the buffer of scopes shows now; asks dape for it anew once a second, as each time starts it over."
  (with-current-buffer (dape--info-get-buffer-create 'dape-info-scope-mode 0)
    (when (> (- (float-time) play-reverted) 1)
      (setq play-reverted (float-time))
      (revert-buffer))
    (buffer-substring-no-properties (point-min) (point-max))))

(defun play-evaluate (expression answer)
  "Type EXPRESSION into the REPL and await the ANSWER."
  (with-current-buffer "*dape-repl*"
    (goto-char (point-max))
    (let ((from (point)))
      (insert expression)
      (comint-send-input)
      (play-await (lambda () (buffer-substring-no-properties from (point-max)))
                  (concat "^" (regexp-quote answer))))))

(defun play-each (play wanted)
  "Call PLAY with each name and value of WANTED; the results under the same names."
  (cl-loop for (key value) on wanted by #'cddr
           append (list key (funcall play (substring (symbol-name key) 1) value))))

(defun play-stop (number stop)
  (play-wait (format "stop %d" number)
             (lambda () (and (>= (length play-stopped) number) (play-quiet)
                             (eql (plist-get (play-frame) :line) (plist-get stop :line)))))
  (setq play-reverted 0)
  (let ((seen (list :line (plist-get (play-frame) :line)
                    :reason (plist-get (car play-stopped) :reason)
                    :function (plist-get (play-frame) :name)
                    :variables (play-each (lambda (name value)
                                            (play-await #'play-scope (format "^[ +-] *%s +%s\\( .*\\)?$" (regexp-quote name) (regexp-quote value))))
                                          (plist-get stop :variables))
                    :evaluate (play-each #'play-evaluate (plist-get stop :evaluate))))
        (conn (dape--live-connection 'stopped)))
    (pcase (plist-get stop :go)
      ("next" (dape-next conn))
      ("stepIn" (dape-step-in conn))
      ("stepOut" (dape-step-out conn))
      ("continue" (dape-continue conn))
      ("disconnect" (dape-disconnect-quit conn) (setq play-ended t)))
    seen))

(defun play-breakpoint (breakpoint)
  (goto-char (point-min))
  (forward-line (1- (plist-get breakpoint :line)))
  (cond ((plist-get breakpoint :condition) (dape-breakpoint-expression (plist-get breakpoint :condition)))
        ((plist-get breakpoint :hitCondition) (dape-breakpoint-hits (plist-get breakpoint :hitCondition)))
        ((plist-get breakpoint :logMessage) (dape-breakpoint-log (plist-get breakpoint :logMessage)))
        (t (dape-breakpoint-toggle))))

(let* ((scenario (with-temp-buffer
                   (insert-file-contents (getenv "SCENARIO"))
                   (json-parse-buffer :object-type 'plist :false-object :json-false)))
       (adapter (append (plist-get scenario :adapter) nil))
       (number 0) stops failure)
  (switch-to-buffer (find-file-noselect (plist-get scenario :source)))
  (unless (derived-mode-p 'prog-mode) (prog-mode)) ; dape sets breakpoints in no other buffer
  (seq-doseq (breakpoint (plist-get scenario :breakpoints)) (play-breakpoint breakpoint))
  (condition-case problem
      (progn
        (dape (append (list 'command (car adapter) 'command-args (vconcat (cdr adapter)) 'command-cwd default-directory)
                      (plist-get scenario :configuration)))
        (seq-doseq (stop (plist-get scenario :stops))
          (push (play-stop (cl-incf number) stop) stops))
        (play-wait "the session ends" (lambda () play-ended)))
    (error (setq failure (error-message-string problem))))
  (princ (format "\nREPORT %s\n"
                 (json-serialize (list :stops (vconcat (nreverse stops)) :output play-output
                                       :ended (if play-ended t :false) :failure (or failure :null))
                                 :false-object :false :null-object :null)))
  (setq kill-emacs-hook nil) ; dape would wait for an adapter that is gone
  (kill-emacs 0))
